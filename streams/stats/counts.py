"""Exact counts of hashed things: what windowed statistics of words stand on."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from streams.stats.statistic import State

Keys = NDArray[np.uint64]
_LEAST = 4_096


class Counts:
    """How often each key was seen. Grows with the number of distinct keys, so it is for windows, not for a corpus.

    >>> counts = Counts()
    >>> counts.update(np.array([7, 7, 9], np.uint64))
    >>> counts.get()
    {'total': 3.0, 'distinct': 2.0}
    """

    def __init__(self) -> None:
        self._keys: Keys = np.empty(0, np.uint64)
        self._counts: NDArray[np.int64] = np.empty(0, np.int64)
        self._new: list[Keys] = []  # not counted yet: sorting all that is known for every few keys would take longest
        self._size = 0

    @property
    def keys(self) -> Keys:
        """The distinct keys, rising."""
        self._count()
        return self._keys

    @property
    def counts(self) -> NDArray[np.int64]:
        """How often each of them was seen."""
        self._count()
        return self._counts

    def update(self, batch: Keys) -> None:
        """Count keys, each as often as it comes."""
        self._new.append(batch)
        self._size += len(batch)
        if self._size > max(_LEAST, len(self._keys)):
            self._count()

    def merge(self, other: "Counts") -> None:
        """Add what another has counted."""
        self._count()
        self._add(other.keys, other.counts)

    def get(self) -> Mapping[str, float]:
        """Return how much was counted, and how many keys there are."""
        return {"total": float(self.counts.sum()), "distinct": float(len(self.keys))}

    def state(self) -> State:
        """Return the keys and their counts."""
        return {"keys": self.keys, "counts": self.counts}

    def restore(self, state: State) -> None:
        """Become what returned the state."""
        self._keys, self._counts = state["keys"], state["counts"]
        self._new, self._size = [], 0

    def _count(self) -> None:
        new, self._new, self._size = self._new, [], 0
        if new:
            self._add(*np.unique(np.concatenate(new), return_counts=True))

    def _add(self, keys: Keys, counts: NDArray[np.int64]) -> None:
        if len(keys):
            self._keys, places = np.unique(np.concatenate((self._keys, keys)), return_inverse=True)
            together = np.concatenate((self._counts, counts))
            self._counts = np.bincount(places, together, len(self._keys)).astype(np.int64)
