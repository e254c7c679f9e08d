"""The check `depth`: fails a sample that is too many generations of models away from human text."""

from collections.abc import Sequence
from functools import cache

from services.verify.check import Batch
from streams.samples import Lineage, Verdict


class Depth:
    """Fails above `most` generations."""

    name = "depth"

    def __init__(self, most: int) -> None:
        self._most = most

    def over(self, batch: Batch) -> Sequence[Verdict]:
        """Judge each sample alone."""
        return [verdict(sample.lineage, self._most) for sample in batch.samples]


def generation_of(lineage: Lineage, most: int) -> int:
    """Return the generation; one that is unknown counts as the largest allowed.

    It is unknown where it is negative, or 0 although no human wrote the text.
    """
    unknown = lineage.generation < 0 or (lineage.generation == 0 and lineage.origin in ("SYNTHETIC", "UNKNOWN"))
    return most if unknown else lineage.generation


def verdict(lineage: Lineage, most: int) -> Verdict:
    """Judge a lineage."""
    generation = generation_of(lineage, most)
    if generation <= most:
        return _passed(generation)
    return Verdict(
        check="depth",
        outcome="fail",
        score=generation,
        evidence={"generation": str(generation), "max_generation": str(most)},
        explanation=f"The sample is {generation} generations of models away from human text; {most} are allowed.",
    )


@cache
def _passed(generation: int) -> Verdict:
    return Verdict(check="depth", outcome="pass", score=generation)
