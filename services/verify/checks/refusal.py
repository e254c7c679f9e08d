"""The check `refusal`: fails a last turn that refuses or is an assistant's small talk.

Safety survives: a refusal passes where the seed's own answer is one.
"""

from collections.abc import Sequence

from services.faults.fault import Fault, verdicts
from services.faults.refusals import found
from services.verify.check import Batch
from services.verify.seeds import Seeds
from streams.samples import Sample, Verdict

_LONGEST = 200


class Refusal:
    """Asks the seeds only about a sample that refuses."""

    name = "refusal"

    def __init__(self, seeds: Seeds) -> None:
        self._seeds = seeds

    def over(self, batch: Batch) -> Sequence[Verdict]:
        """Judge each sample alone."""
        return verdicts(self.name, map(self._fault, batch.samples, batch.lasts))

    def _fault(self, sample: Sample, text: str) -> Fault | None:
        said = found(text)
        if said is None or (said.kind == "refusal" and self._seeds.refuse(sample.lineage.seed_id)):
            return None
        evidence = {"kind": said.kind, "where": said.where, "words": said.words[:_LONGEST]}
        if said.kind == "boilerplate":
            return Fault(evidence, f"The {said.where} of the last turn is an assistant's small talk; none is allowed.")
        return Fault(evidence, f"The last turn refuses at its {said.where}, but its seed does not.")
