"""The check `novelty`: fails a new prompt that is, or nearly is, one that the pipeline already has.

A prompt is what stands before the answer. It may well be asked again with another answer, or in other words; but one
that is said to be new is to add to what is asked, and a copy with another answer would pass the check `duplicate`.
"""

from collections.abc import Sequence

from services.index.texts import Match, Texts
from services.verify.check import Batch
from services.verify.prompts import entries, prompt_of
from streams.samples import Sample, Verdict

_PASS = Verdict(check="novelty", outcome="pass")


class Novelty:
    """Fails from `threshold` on: Jaccard similarity of the sets of three-word runs."""

    name = "novelty"

    def __init__(self, prompts: Texts, threshold: float) -> None:
        self._prompts, self._threshold = prompts, threshold

    def over(self, batch: Batch) -> Sequence[Verdict]:
        """Hold each new prompt against those that are known and those new ones before it in the batch that pass."""
        verdicts = [_PASS] * len(batch.samples)
        new = [place for place, sample in enumerate(batch.samples) if _is_new(sample)]
        if not new:
            return verdicts
        known = self._prompts.nearest(entries([batch.samples[place] for place in new], self._prompts.shape))
        met = Texts(self._prompts.shape)
        for place, nearest in zip(new, known, strict=True):
            one = entries([batch.samples[place]], met.shape)
            found = max(filter(None, (nearest, *met.nearest(one))), key=lambda each: each.similarity, default=None)
            verdicts[place] = verdict(found, self._threshold)
            if verdicts[place].outcome == "pass":
                met.add(one)
        return verdicts


def verdict(nearest: Match | None, threshold: float) -> Verdict:
    """Judge a prompt by the nearest one."""
    if nearest is None or nearest.similarity < threshold:
        return _PASS if nearest is None else Verdict(check="novelty", outcome="pass", score=nearest.similarity)
    return Verdict(
        check="novelty",
        outcome="fail",
        score=nearest.similarity,
        evidence={"sample_id": nearest.sample_id, "similarity": f"{nearest.similarity:.3f}"},
        explanation=f"The new prompt is {nearest.similarity:.0%} the same as that of sample {nearest.sample_id}.",
    )


def _is_new(sample: Sample) -> bool:
    source = sample.lineage.source
    return source is not None and source.strategy == "new_prompt" and bool(prompt_of(sample))
