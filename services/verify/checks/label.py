"""The check `label`: fails a label that the recipe does not allow, or whose text is not as the recipe demands."""

from collections.abc import Sequence

from services.faults.fault import Fault, verdicts
from services.patterns import found_at
from services.recipe import LabelRule, LabelRules
from services.verify.check import Batch
from streams.samples import Verdict

_LONGEST = 80
_SHOWN = 200
_FIELDS = {"text": "text", "last": "last turn"}


class Label:
    """Judges by declared rules; a sample without a label has none that could break them."""

    name = "label"

    def __init__(self, rules: LabelRules) -> None:
        self._allowed, self._rules = rules.allowed, rules.rules

    def over(self, batch: Batch) -> Sequence[Verdict]:
        """Let each rule judge the samples that have its label; the first that is broken is told."""
        faults = [self._unknown(sample.label) for sample in batch.samples]
        for number, rule in enumerate(self._rules):
            places = [n for n, sample in enumerate(batch.samples) if sample.label == rule.label and faults[n] is None]
            if places:
                texts = batch.texts if rule.field == "text" else batch.lasts
                found = found_at(rule.pattern, [texts[place] for place in places])
                for place, at in zip(places, found, strict=True):
                    faults[place] = _broken(number, rule, at)
        return verdicts(self.name, faults)

    def _unknown(self, label: str | None) -> Fault | None:
        if label is None or self._allowed is None or label in self._allowed:
            return None
        evidence = {"label": label[:_LONGEST], "rule": "verify.labels.allowed"}
        return Fault(evidence, f"The label {evidence['label']} is none of those allowed, {self._told()}.")

    def _told(self) -> str:
        told = ", ".join(self._allowed or ())
        return told if len(told) <= _SHOWN else told[: _SHOWN - 1] + "…"


def _broken(number: int, rule: LabelRule, at: int | None) -> Fault | None:
    """Return the fault of a text in which the pattern of its label's rule matches at a character, None for nowhere."""
    if (at is not None) == (rule.must == "match"):
        return None
    named, where = f"verify.labels.rules.{number}", _FIELDS[rule.field]
    label, pattern = rule.label[:_LONGEST], rule.pattern[:_SHOWN]
    evidence = {"label": label, "rule": named, "pattern": pattern}
    if at is None:
        return Fault(
            evidence, f"The {where} does not match {pattern}, which {named} demands where the label is {label}."
        )
    told = f"The {where} matches {pattern} at character {at}, which {named} forbids where the label is {label}."
    return Fault({**evidence, "place": str(at)}, told)
