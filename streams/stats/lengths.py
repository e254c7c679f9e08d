"""How long documents are: exact counts in narrow bins instead of a quantile sketch.

A sketch such as KLL is smaller, but it merges at random and errs by rank, so that its upper quantiles are loose where
a long tail shows. Lengths are whole numbers of a known range: 529 bins merge exactly and err by 1 % of the value.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from streams.stats.moments import mean_and_sd
from streams.stats.statistic import State
from streams.words import Flat

LONGEST = 1_000_000  # words
_WIDTH = 0.02
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95, 0.99)


def _edges() -> NDArray[np.int64]:
    """Return the first length of each bin, and the end of the last: one length a bin up to 50, then 2 % a bin."""
    edges = [0]
    while edges[-1] <= LONGEST:
        edges.append(edges[-1] + 1 + int(edges[-1] * _WIDTH))
    return np.array(edges)


_EDGES = _edges()
_MIDDLES = (_EDGES[:-1] + _EDGES[1:] - 1) / 2


class Lengths:
    """Number of words of documents, empty ones too. `update` takes word hashes.

    Values, in words: `mean`, `sd`, exact, and the quantiles `p05`, `p25`, `p50`, `p75`, `p95`, `p99`: the smallest
    length that this share of the documents does not exceed, exact up to 50 words, within 1 % above (bins of relative
    width as in DDSketch: Masson et al. 2019, arXiv 1908.10693, here with fixed edges). Pitfall: quantiles of documents
    longer than 1,000,000 words are that of the last bin.

    >>> lengths = Lengths()
    >>> lengths.update(Flat(np.zeros(60, np.uint64), np.array([0, 10, 20, 60])))
    >>> {name: round(value, 1) for name, value in lengths.get().items() if name in ("mean", "sd", "p50", "p95")}
    {'mean': 20.0, 'sd': 17.3, 'p50': 10.0, 'p95': 40.0}
    """

    def __init__(self) -> None:
        self._counts = np.zeros(len(_MIDDLES), np.int64)
        self._sums = np.zeros(2)  # of the lengths and of their squares

    def update(self, batch: Flat) -> None:
        """Count the words of documents."""
        sizes = np.diff(batch.starts)
        bins = np.searchsorted(_EDGES, np.minimum(sizes, LONGEST), side="right") - 1
        self._counts += np.bincount(bins, minlength=len(_MIDDLES))
        self._sums += (sizes.sum(), np.square(sizes, dtype=np.float64).sum())

    def merge(self, other: "Lengths") -> None:
        """Add what another has counted."""
        theirs = other.state()
        self._counts += theirs["counts"]
        self._sums += theirs["sums"]

    def get(self) -> Mapping[str, float]:
        """Return the values; NaN without documents, and for the deviation of fewer than two."""
        below = self._counts.cumsum()
        count = int(below[-1])
        mean, sd = mean_and_sd(count, *self._sums)
        quantiles = np.full(len(_QUANTILES), np.nan)
        if count:
            quantiles = _MIDDLES[np.searchsorted(below, np.ceil(np.array(_QUANTILES) * count - 1e-9))]
        named = {f"p{share * 100:02.0f}": float(value) for share, value in zip(_QUANTILES, quantiles, strict=True)}
        return {"mean": mean, "sd": sd, **named}

    def state(self) -> State:
        """Return the bins, and the sums of the lengths and of their squares."""
        return {"counts": self._counts.copy(), "sums": self._sums.copy()}

    def restore(self, state: State) -> None:
        """Become what returned the state."""
        self._counts, self._sums = state["counts"].copy(), state["sums"].copy()
