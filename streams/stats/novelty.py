"""Prequential novelty: how much of each document its own stream has not said lately.

It is the slope of the vocabulary's growth curve, document by document: a model that trains on its own output repeats
itself long before any histogram moves.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from streams.stats.statistic import State
from streams.words import Flat, grams

LENGTHS = (1, 2, 3)
MEMORY = 2_000  # documents: what a model is retrained on should lie in it, also where it is divided among partitions
Shares = NDArray[np.float64]


class Novelty:
    """Share of a document's distinct word n-grams, n = 1, 2, 3, that are in none of the `memory` documents before it.

    `score` and `update` take word hashes of documents in the order of their stream: the order matters, so two of these
    can't be merged, and a stream has one. Documents without words are not counted. Until `memory` documents were seen
    every share is too high: `seen` tells how many. Values of `get`: mean share over the documents in memory.
    Good and Toulmin 1956 (Biometrika 43) for the estimate of unseen mass; Dawid 1984 for prequential scoring.

    >>> novelty = Novelty(memory=2)
    >>> two = Flat(np.array([5, 6, 5, 7], np.uint64), np.array([0, 2, 4]))
    >>> novelty.score(two)[:, 0].tolist()
    [1.0, 0.5]
    >>> novelty.get()["novel_1"]
    0.75
    """

    def __init__(self, memory: int = MEMORY) -> None:
        self._memory = memory
        self.seen = 0
        self._keys = np.empty(0, np.uint64)
        self._last = np.empty(0, np.int64)  # number of the last document that had the key
        self._recent: Shares = np.empty((0, len(LENGTHS)))

    def update(self, batch: Flat) -> None:
        """Take documents in."""
        self.score(batch)

    def score(self, batch: Flat) -> Shares:
        """Take documents in and return (documents, 3) shares, 0 to 1; NaN for a document without words."""
        counted = np.diff(batch.starts) > 0
        numbers = self.seen + np.cumsum(counted) - 1
        keys, documents, lengths = _grams(batch, numbers)
        at, known = self._find(keys)
        before = np.full(len(keys), -1, np.int64)
        before[known] = self._last[at[known]]
        again = np.flatnonzero(keys[1:] == keys[:-1]) + 1
        before[again] = documents[again - 1]
        novel = (before < 0) | (documents - before > self._memory)
        cells = (documents - self.seen) * len(LENGTHS) + lengths
        count = int(counted.sum())
        size = count * len(LENGTHS)
        shares = np.full((len(counted), len(LENGTHS)), np.nan)
        with np.errstate(invalid="ignore"):  # a document shorter than n has no n-grams
            found = np.bincount(cells, novel, size) / np.bincount(cells, minlength=size)
        shares[counted] = found.reshape(count, len(LENGTHS))
        self.seen += count
        newest = np.flatnonzero(np.append(keys[1:] != keys[:-1], True)[: len(keys)])
        self._remember(keys[newest], documents[newest], at[newest], known[newest])
        self._recent = np.concatenate((self._recent, shares[counted]))[-self._memory :]
        return shares

    def get(self) -> Mapping[str, float]:
        """Return the mean shares over the documents in memory."""
        recent = self._recent
        return {
            f"novel_{n}": float(np.nanmean(recent[:, at])) if np.isfinite(recent[:, at]).any() else np.nan
            for at, n in enumerate(LENGTHS)
        }

    def state(self) -> State:
        """Return what was said lately, and when."""
        return {"seen": np.array(self.seen), "keys": self._keys, "last": self._last, "recent": self._recent}

    def restore(self, state: State) -> None:
        """Become what returned the state."""
        self.seen, self._recent = int(state["seen"]), state["recent"]
        self._keys, self._last = state["keys"], state["last"]

    def _find(self, keys: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Return the place of each key among those remembered, and whether it is there."""
        at = np.searchsorted(self._keys, keys)
        known = np.zeros(len(keys), np.bool_)
        inside = at < len(self._keys)
        known[inside] = self._keys[at[inside]] == keys[inside]
        return at, known

    def _remember(
        self,
        keys: NDArray[np.uint64],
        documents: NDArray[np.int64],
        at: NDArray[np.int64],
        known: NDArray[np.bool_],
    ) -> None:
        """Note distinct keys, sorted, whose places are `at`; no array is changed in place, so a copy is a snapshot."""
        new = ~known
        places = at[new] + np.arange(int(new.sum()))
        old = np.ones(len(self._keys) + len(places), np.bool_)
        old[places] = False
        table, last = np.empty(len(old), np.uint64), np.empty(len(old), np.int64)
        table[old], table[places] = self._keys, keys[new]
        renewed = self._last.copy()
        renewed[at[known]] = documents[known]
        last[old], last[places] = renewed, documents[new]
        kept = last >= self.seen - self._memory
        self._keys, self._last = table[kept], last[kept]


def _grams(batch: Flat, numbers: NDArray[np.int64]) -> tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the distinct (n-gram, document) pairs of a batch, sorted, and which length each n-gram has."""
    keys, documents, lengths = [], [], []
    for place, length in enumerate(LENGTHS):
        found = grams(batch, length)
        keys.append(found.hashes)
        documents.append(np.repeat(numbers, np.diff(found.starts)))
        lengths.append(np.full(len(found.hashes), place))
    key, document, length_ = (np.concatenate(parts) for parts in (keys, documents, lengths))
    order = np.lexsort((document, key))
    key, document, length_ = key[order], document[order], length_[order]
    first = np.append(True, (key[1:] != key[:-1]) | (document[1:] != document[:-1]))[: len(key)]
    return key[first], document[first], length_[first]
