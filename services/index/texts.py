"""The near-duplicate index: every text of seed, reference, verify and review, some 750 bytes each at 80 words.

It lies in memory and is a fold over the log, so it can't disagree with what was decided.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.index.column import Column
from services.index.ids import IdArray, Ids, pack
from services.index.minhash import Fingerprints, Shape, fingerprints, jaccard
from services.index.table import Rows, Table
from streams.words import Flat

BUCKET = 8  # texts that one band key leads to; a template's thousands would make every look-up long
_COMPARED = 8  # candidates that are compared, those with the most bands in common first
_ROW = (1 << 32) - 1


class Entries(NamedTuple):
    """What is remembered of texts: ids, content hashes and fingerprints, one each per text."""

    ids: IdArray
    contents: NDArray[np.uint32]
    prints: Fingerprints

    def select(self, places: NDArray[np.int64]) -> "Entries":
        """Return the entries of some of the texts."""
        return Entries(self.ids[places], self.contents[places], self.prints.select(places))


def entries_of(ids: Sequence[str], contents: Sequence[str], words: Flat, shape: Shape) -> Entries:
    """Return what is to be remembered of texts: by hex ids, hex content hashes, and the hashes of their words."""
    return Entries(
        pack([each.encode() for each in ids]),
        pack([each.encode() for each in contents])[:, 0].astype(np.uint32),
        fingerprints(words, shape),
    )


class Match(NamedTuple):
    """The nearest text that was found."""

    sample_id: str
    similarity: float
    exact: bool


class Texts:
    """The index itself."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self._ids = Ids()
        self._contents = Table(1)
        self._bands = Table(BUCKET)
        self._starts = Column(np.zeros(1, np.int64))
        self._starts.extend(np.zeros(1, np.int64))
        self._sketches = Column(np.empty(0, np.uint32))

    def __len__(self) -> int:
        return len(self._ids)

    def fresh(self, ids: IdArray) -> Rows:
        """Return the places of the ids that are not in the index."""
        return self._ids.fresh(ids)

    def add(self, entries: Entries) -> None:
        """Add texts. Idempotent by id."""
        first = len(self._ids)
        new = self._ids.add(entries.ids)
        if len(new) < len(entries.ids):
            entries = entries.select(new)
        rows = np.arange(first, first + len(new))
        self._contents.add(entries.contents, rows)
        self._bands.add(entries.prints.bands.ravel(), np.repeat(rows, self.shape.bands))
        self._starts.extend(entries.prints.starts[1:] + len(self._sketches))
        self._sketches.extend(entries.prints.sketches)

    def nearest(self, entries: Entries) -> list[Match | None]:
        """Return for each text the most similar one here that shares a band or the content hash with it."""
        best: list[Match | None] = [None] * len(entries.ids)
        pairs, exact = self._pairs(entries)
        compared, last = 0, -1
        for pair in pairs.tolist():
            place, row = pair >> 32, pair & _ROW
            compared, last = (compared + 1 if place == last else 0), place
            known = best[place]
            if compared >= _COMPARED or (known is not None and known.exact):
                continue
            similarity = jaccard(entries.prints.sketch(place), self._sketch(row))
            if known is None or similarity > known.similarity:
                best[place] = Match(self._ids[row], similarity, pair in exact and similarity == 1)
        return best

    def _pairs(self, entries: Entries) -> tuple[Rows, set[int]]:
        """Return (place << 32 | row) by place, those with the most bands in common first, and which are exact."""
        places, rows = self._bands.find(entries.prints.bands.ravel())
        by_band = (places // self.shape.bands) << 32 | rows
        places, rows = self._contents.find(entries.contents)
        exact = places << 32 | rows
        votes = np.concatenate((by_band, np.repeat(exact, self.shape.bands + 1)))
        pairs, counts = np.unique(votes, return_counts=True)
        return pairs[np.lexsort((-counts, pairs >> 32))], set(exact.tolist())

    def _sketch(self, row: int) -> np.ndarray[tuple[int], np.dtype[np.uint32]]:
        start, end = self._starts.values[row : row + 2]
        return self._sketches.values[start:end]
