"""The check `leak`: fails a sample that carries pieces of the prompt that it was made with."""

from collections.abc import Sequence

from services.faults.fault import Fault, verdicts
from services.faults.leaks import leak
from services.verify.check import Batch
from streams.samples import Sample, Verdict


class Leak:
    """`is_json` says that the last turn has to be JSON, so that no envelope is a leak."""

    name = "leak"

    def __init__(self, *, is_json: bool) -> None:
        self._is_json = is_json

    def over(self, batch: Batch) -> Sequence[Verdict]:
        """Judge each sample alone."""
        return verdicts(self.name, map(self._fault, batch.samples, batch.lasts))

    def _fault(self, sample: Sample, last: str) -> Fault | None:
        return leak(sample, last, is_json=self._is_json)
