r"""The check `math`: an oracle that fails an answer which is not equal to the reference answer, as mathematics has it.

1/2, 0.5 and $\frac{2}{4}$ are one answer. The reference answer is `answer` of the sample; what a text comes to is what
follows its last `####`, else its last formula or number, a boxed one first.
"""

from collections.abc import Sequence

from services.verify.check import Batch
from services.verify.solver import Comparison, Solver
from streams.samples import Outcome, Sample, Verdict

TASK = "math"
_FINAL = "####"
_LONGEST = 200
_PASS = Verdict(check="math", outcome="pass")
_OUTCOMES: dict[str, tuple[Outcome, str]] = {
    "different": ("fail", "The text comes to {answer}, not to the reference answer {reference}."),
    "answer unread": ("fail", "The text comes to no answer that can be read; the reference answer is {reference}."),
    "reference unread": ("flag", "The reference answer can't be read as mathematics; compare it by eye."),
    "unsolved": ("flag", "The answers could not be compared ({error}); compare them by eye."),
}


class Maths:
    """Judges samples of the task `math` that have a reference answer; the rest pass."""

    name = "math"

    def __init__(self, solver: Solver) -> None:
        self._solver = solver

    def over(self, batch: Batch) -> Sequence[Verdict]:
        """Compare each sample's answer in turn. Blocks."""
        return [self._judged(sample) for sample in batch.samples]

    def _judged(self, sample: Sample) -> Verdict:
        if sample.task != TASK or sample.answer is None or not sample.turns:
            return _PASS
        return verdict(self._solver.compare(sample.answer, final(sample.turns[-1].text)))


def final(text: str) -> str:
    """Return the part of a solution that says what it comes to."""
    _, mark, after = text.rpartition(_FINAL)
    return after.strip().partition("\n")[0].strip() if mark else text


def verdict(found: Comparison) -> Verdict:
    """Judge by a comparison."""
    told = {"reference": found.reference[:_LONGEST], "answer": found.answer[:_LONGEST], "error": found.error}
    evidence = {key: value for key, value in told.items() if value}
    if found.outcome == "equal":
        return Verdict(check="math", outcome="pass", evidence=evidence)
    outcome, explanation = _OUTCOMES[found.outcome]
    return Verdict(check="math", outcome=outcome, evidence=evidence, explanation=explanation.format(**told))
