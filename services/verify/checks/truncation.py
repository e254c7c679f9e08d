"""The check `truncation`: fails an answer that stops in the middle.

Only a last turn of role assistant is judged: a document is a piece of text by construction, cut after so many words.
Of code only the fence of a block counts, and of maths and labels no missing full stop: neither is written in sentences.
"""

from collections.abc import Sequence

from services.faults.fault import Fault, verdicts
from services.verify.check import Batch
from services.verify.endings import cut
from services.verify.seeds import Seeds
from streams.samples import Sample, Verdict

_SHOWN = 40


class Truncation:
    """Judges by what can't be the end of an answer; the seeds tell whether answers end on a full stop."""

    name = "truncation"

    def __init__(self, seeds: Seeds) -> None:
        self._seeds = seeds

    def over(self, batch: Batch) -> Sequence[Verdict]:
        """Judge each sample alone."""
        stops = self._seeds.stops
        return verdicts(self.name, (_fault(one, stops=stops) for one in batch.samples))


def _fault(sample: Sample, *, stops: bool) -> Fault | None:
    if not sample.turns or sample.turns[-1].role != "assistant":
        return None
    text = sample.turns[-1].text.rstrip()
    why = cut(text, sample.task, stops=stops)
    if why is None:
        return None
    return Fault({"end": text[-_SHOWN:], "why": why}, f"The last turn stops in the middle: it ends on {why}.")
