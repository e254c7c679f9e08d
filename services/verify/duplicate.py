"""The check `duplicate`: fails a text that is, or nearly is, one that the pipeline already has.

Texts of the same batch count too, if they were kept; they are not in the index before the batch is committed.
"""

import numpy as np
from numpy.typing import NDArray

from services.verify.check import Batch, Judge
from services.verify.minhash import Fingerprints, jaccard
from services.verify.texts import BUCKET, Match, Texts
from streams.samples import Verdict


class Duplicate:
    """Fails from `threshold` on: Jaccard similarity of the sets of three-word runs."""

    name = "duplicate"

    def __init__(self, texts: Texts, threshold: float) -> None:
        self._texts = texts
        self._threshold = threshold

    def over(self, batch: Batch) -> Judge:
        """Look all samples up at once."""
        committed = self._texts.nearest(batch.entries)
        earlier = _Earlier(batch)

        def judge(place: int) -> Verdict:
            found = [match for match in (committed[place], earlier.nearest(place)) if match is not None]
            return verdict(max(found, key=lambda match: (match.exact, match.similarity), default=None), self._threshold)

        return judge


def verdict(nearest: Match | None, threshold: float) -> Verdict:
    """Judge a text by the nearest one."""
    if nearest is None:
        return Verdict(check="duplicate", outcome="pass", score=0.0)
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


class _Earlier:
    """The kept texts of one batch, by band key and content hash."""

    def __init__(self, batch: Batch) -> None:
        self._batch = batch
        self._prints: Fingerprints = batch.entries.prints
        self._bands = _shared(self._prints.bands)
        self._taken = 0
        self._by_band: dict[int, list[int]] = {}
        self._by_content: dict[str, int] = {}

    def nearest(self, place: int) -> Match | None:
        """Return the most similar of the texts that were kept before."""
        self._take()
        sample = self._batch.samples[place]
        if (same := self._by_content.get(sample.content_hash)) is not None:
            return Match(self._batch.samples[same].sample_id, 1.0, exact=True)
        met = {other for band in self._bands.get(place, ()) for other in self._by_band.get(band, ())}
        sketch = self._prints.sketch(place)
        found = [(jaccard(sketch, self._prints.sketch(other)), -other) for other in met]
        if not found:
            return None
        similarity, other = max(found)
        return Match(self._batch.samples[-other].sample_id, similarity, exact=False)

    def _take(self) -> None:
        for place in self._batch.kept[self._taken :]:
            self._by_content.setdefault(self._batch.samples[place].content_hash, place)
            for band in self._bands.get(place, ()):
                held = self._by_band.setdefault(band, [])
                if len(held) < BUCKET:
                    held.append(place)
        self._taken = len(self._batch.kept)


def _shared(bands: NDArray[np.uint32]) -> dict[int, list[int]]:
    """Return the band keys that several texts of the batch have, by text: most texts have none."""
    _, key, count = np.unique(bands, return_inverse=True, return_counts=True)
    shared: dict[int, list[int]] = {}
    for place, band in np.argwhere(count[key].reshape(bands.shape) > 1).tolist():
        shared.setdefault(place, []).append(int(bands[place, band]))
    return shared
