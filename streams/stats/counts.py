"""Exact counts of hashed things: what windowed statistics of words stand on."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from streams.stats.statistic import State

Keys = NDArray[np.uint64]


class Counts:
    """How often each key was seen. Grows with the number of distinct keys, so it is for windows, not for a corpus.

    >>> counts = Counts()
    >>> counts.update(np.array([7, 7, 9], np.uint64))
    >>> counts.get()
    {'total': 3.0, 'distinct': 2.0}
    """

    def __init__(self) -> None:
        self.keys: Keys = np.empty(0, np.uint64)
        self.counts: NDArray[np.int64] = np.empty(0, np.int64)

    def update(self, batch: Keys) -> None:
        """Count keys, each as often as it comes."""
        self._add(batch, np.ones(len(batch), np.int64))

    def merge(self, other: "Counts") -> None:
        """Add what another has counted."""
        self._add(other.keys, other.counts)

    def get(self) -> Mapping[str, float]:
        """Return how much was counted, and how many keys there are."""
        return {"total": float(self.counts.sum()), "distinct": float(len(self.keys))}

    def state(self) -> State:
        """Return the keys, rising, and their counts."""
        return {"keys": self.keys, "counts": self.counts}

    def restore(self, state: State) -> None:
        """Become what returned the state."""
        self.keys, self.counts = state["keys"], state["counts"]

    def _add(self, keys: Keys, counts: NDArray[np.int64]) -> None:
        if len(keys):
            self.keys, places = np.unique(np.concatenate((self.keys, keys)), return_inverse=True)
            together = np.concatenate((self.counts, counts))
            self.counts = np.bincount(places, together, len(self.keys)).astype(np.int64)
