"""The word 8-grams of the holdout, some 16 bytes each: a model that is scored on it must not have trained on it."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.index.ids import IdArray, Ids
from services.index.table import Rows, Table
from streams.words import GRAM, Flat, runs


class Overlap(NamedTuple):
    """How much of one text lies in the holdout: the first shared 8-gram's place in it, and whose it is."""

    share: float
    place: int
    sample_id: str


class Holdout:
    """All 8-grams; a text that is shorter is one gram. Two grams are taken for one with probability grams / 2**32."""

    def __init__(self) -> None:
        self._ids = Ids()
        self._grams = Table(1)

    def __len__(self) -> int:
        return len(self._ids)

    def fresh(self, ids: IdArray) -> Rows:
        """Return the places of the ids that are not here."""
        return self._ids.fresh(ids)

    def add(self, ids: IdArray, words: Flat) -> None:
        """Add texts with distinct ids that are not here yet."""
        first = len(self._ids)
        self._ids.add(ids)
        grams = runs(words, GRAM)
        rows = np.repeat(np.arange(first, first + len(ids)), np.diff(grams.starts))
        self._grams.add(_keys(grams), rows)

    def overlaps(self, words: Flat) -> Sequence[Overlap | None]:
        """Return for each text how much of it is here; None for nothing."""
        grams = runs(words, GRAM)
        counts = np.diff(grams.starts)
        text = np.repeat(np.arange(len(counts)), counts)
        places, rows = self._grams.find(_keys(grams))
        hits = np.bincount(text[places], minlength=len(counts))
        found: list[Overlap | None] = [None] * len(counts)
        order = np.argsort(places)[::-1]  # the first of each text is written last, and stays
        for place, row in zip(places[order].tolist(), rows[order].tolist(), strict=True):
            at = int(text[place])
            found[at] = Overlap(float(hits[at] / counts[at]), place - int(grams.starts[at]), self._ids[row])
        return found


def _keys(grams: Flat) -> NDArray[np.uint32]:
    return grams.hashes.astype(np.uint32)
