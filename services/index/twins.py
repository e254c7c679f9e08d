"""Texts of one batch that repeat each other: none of them is in the index before the batch is committed."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from services.index.minhash import Fingerprints, jaccard
from services.index.texts import BUCKET, Match
from streams.samples import Sample


class Twins:
    """Some texts of a batch, by band key and content hash; a band key leads to the first 8 of them that have it."""

    def __init__(
        self,
        samples: Sequence[Sample],
        prints: Fingerprints,
        threshold: float,
        shared: dict[int, list[int]] | None = None,
    ) -> None:
        self._samples, self._prints, self._threshold = samples, prints, threshold
        self._shared = _shared(prints.bands) if shared is None else shared
        self._by_band: dict[int, list[int]] = {}
        self._by_content: dict[str, int] = {}

    def none(self) -> "Twins":
        """Return none of the batch's texts."""
        return Twins(self._samples, self._prints, self._threshold, self._shared)

    def add(self, places: Iterable[int]) -> None:
        """Add the texts at some places."""
        for place in sorted(places):
            self._by_content.setdefault(self._samples[place].content_hash, place)
            for band in self._shared.get(place, ()):
                held = self._by_band.setdefault(band, [])
                if len(held) < BUCKET:
                    held.append(place)

    def nearest(self, place: int) -> Match | None:
        """Return the most similar one here that the text at a place repeats."""
        samples, prints = self._samples, self._prints
        if (same := self._by_content.get(samples[place].content_hash)) is not None:
            return Match(samples[same].sample_id, 1.0, exact=True)
        met = {other for band in self._shared.get(place, ()) for other in self._by_band.get(band, ())}
        sketch = prints.sketch(place)
        found = max(((jaccard(sketch, prints.sketch(other)), -other) for other in met), default=None)
        if found is None or found[0] < self._threshold:
            return None
        return Match(samples[-found[1]].sample_id, found[0], exact=False)


def _shared(bands: NDArray[np.uint32]) -> dict[int, list[int]]:
    """Return the band keys that several texts of the batch have, by text: most texts have none."""
    _, key, count = np.unique(bands, return_inverse=True, return_counts=True)
    shared: dict[int, list[int]] = {}
    for place, band in np.argwhere(count[key].reshape(bands.shape) > 1).tolist():
        shared.setdefault(place, []).append(int(bands[place, band]))
    return shared
