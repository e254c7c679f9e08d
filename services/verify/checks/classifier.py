"""The check `classifier`: flags a label that hardly any human document with such words has."""

import math
from collections.abc import Sequence

from services.verify.check import Batch
from services.verify.consistency import Consistency, Mislabelled
from streams.samples import Verdict

_PASS = Verdict(check="classifier", outcome="pass")
_LONGEST = 80


class Classifier:
    """Flags by the log odds of the likeliest other label, against human documents of the same label.

    Its p-value is one-sided, for to be sure of a label is no fault.
    """

    name = "classifier"

    def __init__(self, consistency: Consistency) -> None:
        self._consistency = consistency

    def over(self, batch: Batch) -> Sequence[Verdict]:
        """Judge all samples by what the checks of `consistency` share."""
        verdicts = [_PASS] * len(batch.samples)
        for one in self._consistency.mislabelled(batch):
            verdicts[one.place] = _flag(one)
        return verdicts


def _flag(one: Mislabelled) -> Verdict:
    label, likelier = one.label[:_LONGEST], one.likelier[:_LONGEST]
    return Verdict(
        check="classifier",
        outcome="flag",
        score=one.odds,
        evidence={"label": label, "likelier": likelier, **one.evidence},
        explanation=f"By the text's words the label {likelier} is {_times(one.odds)} times as likely as its own, "
        f"{label}; in human documents with the label {label} that pass, another is {_times(one.most)} times as likely "
        "at most.",
    )


def _times(odds: float) -> str:
    return f"{math.exp(odds):.2g}"
