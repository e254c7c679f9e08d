"""How varied the words are inside each document, averaged over documents.

Both indices are made for texts of one length, so only the first 64 words of a document count.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from streams.stats.moments import mean_and_sd
from streams.stats.statistic import State
from streams.words import Flat, first

LENGTH = 64  # words
WINDOW = 50  # words
# The threshold .72 is 18 / 25, and whole numbers make "reached" exact.
_TYPE, _WORD = 25, 18
_THRESHOLD = _WORD / _TYPE
# A document that never repeats a word has no factor; it counts as one whose last word alone repeats one.
_FEWEST_FACTORS = (1 / LENGTH) / (1 - _THRESHOLD)

Floats = NDArray[np.float64]
Places = NDArray[np.int64]


class Diversity:
    """Lexical diversity of documents. `update` takes word hashes; documents of fewer than 64 words are left out.

    Values, means and standard deviations over documents: `mattr`, `mattr_sd` (mean share of types in the 15 windows of
    50 words; Covington and McFall 2010, J. Quant. Linguist. 17), `mtld`, `mtld_sd` (words per factor, mean of both
    directions, a factor ends where types / words has fallen to .72; McCarthy and Jarvis 2010, Behav. Res. Methods 42).
    Pitfall: MTLD was validated on 100 words and more; on 64 its distribution has a long upper tail, so its mean moves
    with a few documents. MATTR is the steadier one. Neither sees that two documents say the same.

    >>> diversity = Diversity()
    >>> diversity.update(Flat(np.arange(128, dtype=np.uint64) % 40, np.array([0, 64, 128])))
    >>> {name: round(value, 3) for name, value in diversity.get().items()}
    {'mattr': 0.8, 'mattr_sd': 0.0, 'mtld': 64.0, 'mtld_sd': 0.0}
    """

    def __init__(self) -> None:
        self._documents = 0
        self._sums = np.zeros(2)
        self._squares = np.zeros(2)

    def update(self, batch: Flat) -> None:
        """Take documents in."""
        values = scores(batch)
        values = values[np.isfinite(values[:, 0])]
        self._documents += len(values)
        self._sums += values.sum(axis=0)
        self._squares += (values**2).sum(axis=0)

    def merge(self, other: "Diversity") -> None:
        """Add what another has summed up."""
        theirs = other.state()
        self._documents += int(theirs["documents"])
        self._sums += theirs["sums"]
        self._squares += theirs["squares"]

    def get(self) -> Mapping[str, float]:
        """Return the values; NaN without documents, and for a deviation of fewer than two."""
        values = {}
        for name, total, squares in zip(("mattr", "mtld"), self._sums, self._squares, strict=True):
            values[name], values[f"{name}_sd"] = mean_and_sd(self._documents, total, squares)
        return values

    def state(self) -> State:
        """Return the number of documents and the sums of the values and their squares."""
        return {"documents": np.array(self._documents), "sums": self._sums.copy(), "squares": self._squares.copy()}

    def restore(self, state: State) -> None:
        """Become what returned the state."""
        self._documents, self._sums, self._squares = (
            int(state["documents"]),
            state["sums"].copy(),
            state["squares"].copy(),
        )


def scores(batch: Flat) -> Floats:
    """Return (documents, 2) MATTR and MTLD of each document; NaN for one of fewer than 64 words."""
    long = np.diff(batch.starts) >= LENGTH
    both = _before(first(batch, LENGTH).hashes.reshape(-1, LENGTH))
    found = np.full((len(long), 2), np.nan)
    found[long, 0] = _mattr(both[0])
    found[long, 1] = _mtld(both)
    return found


def _before(rows: NDArray[np.uint64]) -> Places:
    """Return where the same word came last before each word, reading forwards and backwards; -1 where it did not."""
    order = np.argsort(rows, axis=1, kind="stable")
    ranked = np.take_along_axis(rows, order, 1)
    row, rank = np.nonzero(ranked[:, 1:] == ranked[:, :-1])
    early, late = order[row, rank], order[row, rank + 1]
    both = np.full((2, *rows.shape), -1, np.int64)
    both[0, row, late] = early
    both[1, row, LENGTH - 1 - early] = LENGTH - 1 - late
    return both


def _mattr(before: Places) -> Floats:
    """Return the moving-average type-token ratio of each row."""
    # A word is a new type in each window that holds it and begins after the word came last.
    at = np.arange(LENGTH)
    earliest = np.maximum(before + 1, at - (WINDOW - 1))
    latest = np.minimum(at, LENGTH - WINDOW)
    windows: Places = np.maximum(latest - earliest + 1, 0)
    ratios: Floats = windows.sum(axis=1) / (WINDOW * (LENGTH - WINDOW + 1))
    return ratios


def _mtld(both: Places) -> Floats:
    """Return the words per factor of each row, the mean of both directions."""
    factors = _factors(both.reshape(-1, LENGTH)).reshape(2, -1)
    mean: Floats = (LENGTH / np.maximum(factors, _FEWEST_FACTORS)).mean(axis=0)
    return mean


def _factors(before: Places) -> Floats:
    """Return how many factors each row has. Each turn ends one factor of every row that is not at its end."""
    factors = np.zeros(len(before))
    start = np.zeros(len(before), np.int64)
    going, at = np.arange(len(before)), np.arange(LENGTH)
    while len(going):
        begin = start[going, np.newaxis]
        inside = at >= begin
        surplus = np.where(inside, _TYPE * (before[going] < begin) - _WORD, 0).cumsum(axis=1)
        reached = (surplus <= 0) & inside
        end, whole = reached.argmax(axis=1), reached.any(axis=1)
        words = LENGTH - begin[:, 0]
        partial = 1 - (surplus[:, -1] / words + _WORD) / _TYPE
        factors[going] += np.where(whole, 1.0, partial / (1 - _THRESHOLD))
        start[going] = np.where(whole, end + 1, LENGTH)
        going = going[start[going] < LENGTH]
    return factors
