"""The check `labels`: flags a label that no human document has, or that they hardly ever have with a task or a tag."""

from collections.abc import Mapping, Sequence

from services.verify.check import Batch
from services.verify.combinations import Rarity
from services.verify.consistency import Consistency
from streams.samples import Verdict

_PASS = Verdict(check="labels", outcome="pass")
_LONGEST = 80


class Labels:
    """Flags by how seldom a label comes with its task and tags, beside how often it would if it did not depend on them.

    Its p-value is one-sided, for to come together often is no fault.
    """

    name = "labels"

    def __init__(self, consistency: Consistency) -> None:
        self._consistency = consistency

    def over(self, batch: Batch) -> Sequence[Verdict]:
        """Judge all samples by what the checks of `consistency` share."""
        verdicts = [_PASS] * len(batch.samples)
        for place, rarity, evidence in self._consistency.rare(batch):
            verdicts[place] = _flag(batch.samples[place].label, rarity, evidence)
        return verdicts


def _flag(label: str | None, rarity: Rarity, evidence: Mapping[str, str]) -> Verdict:
    told = "no label" if label is None else f"the label {label[:_LONGEST]}"
    if rarity.context is None:
        explanation = f"The sample has {told}, and no human document has."
        beside = {}
    else:
        beside = {"with": " ".join(each[:_LONGEST] for each in rarity.context)}
        explanation = (
            f"The sample has {told} with the {beside['with']}, as {rarity.seen} human documents do; "
            f"{rarity.expected:.1f} would if both were independent."
        )
    return Verdict(
        check="labels",
        outcome="flag",
        score=rarity.ratio,
        evidence={"label": "" if label is None else label[:_LONGEST], **beside, **evidence},
        explanation=explanation,
    )
