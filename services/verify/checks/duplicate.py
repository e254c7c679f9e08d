"""The check `duplicate`: fails a text that is, or nearly is, one that the pipeline already has.

Texts of the same batch are `twins`: they are not in the index before the batch is committed.
"""

from collections.abc import Sequence

from services.index.texts import Match, Texts
from services.verify.check import Batch
from streams.samples import Verdict

_NEW = Verdict(check="duplicate", outcome="pass", score=0.0)


class Duplicate:
    """Fails from `threshold` on: Jaccard similarity of the sets of three-word runs."""

    name = "duplicate"

    def __init__(self, texts: Texts, threshold: float) -> None:
        self._texts = texts
        self._threshold = threshold

    def over(self, batch: Batch) -> Sequence[Verdict]:
        """Look all samples up at once."""
        return [verdict(match, self._threshold) for match in self._texts.nearest(batch.entries)]


def verdict(nearest: Match | None, threshold: float) -> Verdict:
    """Judge a text by the nearest one."""
    if nearest is None:
        return _NEW
    if not nearest.exact and nearest.similarity < threshold:
        return Verdict(check="duplicate", outcome="pass", score=nearest.similarity)
    kind = "the same as" if nearest.exact else f"{nearest.similarity:.0%} the same as"
    return Verdict(
        check="duplicate",
        outcome="fail",
        score=nearest.similarity,
        evidence={
            "sample_id": nearest.sample_id,
            "similarity": f"{nearest.similarity:.3f}",
            "kind": "exact" if nearest.exact else "near",
        },
        explanation=f"The text is {kind} that of sample {nearest.sample_id}.",
    )
