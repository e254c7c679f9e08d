"""The check `presidio`: fails a sample with a number that is given to one person, of kinds that `privacy` lacks.

It takes milliseconds a text and an extra, so a recipe has to ask for it.
"""

from collections.abc import Sequence

from services.faults.fault import Fault, verdicts
from services.verify.check import Batch
from services.verify.recognizers import KINDS, Recognizers
from streams.samples import Sample, Verdict


class Presidio:
    """Looks at every turn; the evidence masks what it finds."""

    name = "presidio"

    def __init__(self, recognizers: Recognizers) -> None:
        self._recognizers = recognizers

    def over(self, batch: Batch) -> Sequence[Verdict]:
        """Judge each sample alone."""
        return verdicts(self.name, map(self._fault, batch.samples))

    def _fault(self, sample: Sample) -> Fault | None:
        for number, turn in enumerate(sample.turns):
            for found in self._recognizers.found(turn.text):
                told = KINDS[found.kind].told
                evidence = {
                    "kind": told,
                    "turn": str(number),
                    "place": str(found.start),
                    "text": f"{turn.text[found.start : found.start + 2]}******",
                    "recognizer": found.kind,
                    "score": f"{found.score:.2f}",
                }
                return Fault(evidence, f"Turn {number} holds what looks like a real {told} at character {found.start}.")
        return None
