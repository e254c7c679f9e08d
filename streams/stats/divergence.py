"""How far the words of a window are from a reference's: divergences of hashed n-gram counts.

Hashing into a fixed number of bins keeps the state small and makes the counts add up.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from streams.stats.statistic import State
from streams.words import Flat, grams

Counts = NDArray[np.int64]
_PRIOR = 0.5


class Divergence:
    """Counts of hashed word n-grams against a reference's, which `binned` made with the same bins and length.

    `update` takes word hashes; a text shorter than `length` adds nothing. Values, both in bits, NaN where either side
    is empty: `jsd`, the Jensen-Shannon divergence, from 0 to 1 (Lin 1991, IEEE Trans. Inf. Theory 37; the square of
    the distance that scipy gives); `kl`, the Kullback-Leibler divergence of the observed from the reference, where
    half a count is added to each bin of the reference (Krichevsky & Trofimov 1981) and none to the observed.

    With counts not much above the number of bins both values are mostly bias, so compare them only with a null of the
    same number of words.

    >>> words = Flat(np.array([5, 6, 5, 7], np.uint64), np.array([0, 4]))
    >>> divergence = Divergence(binned(words, bins=8), bins=8)
    >>> divergence.update(words)
    >>> {name: round(value, 3) for name, value in divergence.get().items()}
    {'jsd': 0.0, 'kl': 0.547}
    """

    def __init__(self, reference: Counts, bins: int = 4096, length: int = 1) -> None:
        if reference.shape != (bins,):
            raise ValueError(f"The reference has shape {reference.shape}; make it with `binned` and {bins} bins")
        self._reference, self._bins, self._length = reference, bins, length
        self.counts: Counts = np.zeros(bins, np.int64)

    def update(self, batch: Flat) -> None:
        """Count the n-grams of texts."""
        self.counts = self.counts + binned(batch, self._bins, self._length)

    def merge(self, other: "Divergence") -> None:
        """Add what another has counted."""
        self.counts = self.counts + other.counts

    def get(self) -> Mapping[str, float]:
        """Return both divergences in bits."""
        seen, known = self.counts.sum(), self._reference.sum()
        if not seen or not known:
            return {"jsd": np.nan, "kl": np.nan}
        p, q = self.counts / seen, self._reference / known
        smooth = (self._reference + _PRIOR) / (known + _PRIOR * self._bins)
        middle = (p + q) / 2
        return {"jsd": max(0.0, (_relative(p, middle) + _relative(q, middle)) / 2), "kl": _relative(p, smooth)}

    def state(self) -> State:
        """Return the counts of the bins."""
        return {"counts": self.counts}

    def restore(self, state: State) -> None:
        """Become what returned the state."""
        self.counts = state["counts"]


def binned(flat: Flat, bins: int = 4096, length: int = 1) -> Counts:
    """Return how many n-grams of the texts fall into each bin; `bins` is a power of two."""
    if bins < 1 or bins & (bins - 1):
        raise ValueError(f"{bins} bins are no power of two")
    return np.bincount((grams(flat, length).hashes & np.uint64(bins - 1)).astype(np.int64), minlength=bins)


def _relative(p: NDArray[np.float64], q: NDArray[np.float64]) -> float:
    there = p > 0
    return float(np.sum(p[there] * np.log2(p[there] / q[there])))
