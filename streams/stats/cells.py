"""Which regions of the reference's latent space are reached, the rare ones among them: occupancy of k-means cells.

Rare regions go first, and a mean over the whole space does not see it.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans

from streams.stats.statistic import State

Vectors = NDArray[np.floating]
_TAIL = 10  # the tail holds one in so many documents


class Codebook(NamedTuple):
    """Centres of cells (c, d), how many other reference vectors lie in each (c,), and which are the tail (c,)."""

    centres: NDArray[np.float64]
    counts: NDArray[np.int64]
    tail: NDArray[np.bool_]


class Cells:
    """Occupancy of the cells of a reference's space, against what it would be for as many documents of the reference.

    `update` takes latent vectors (n, d); each falls into the cell of its nearest centre. The tail is the rarest cells
    of the documents that the centres were fitted on: as few as hold 10 % of them or more. The shares p are those of
    other documents, for by its own a cell looks too large, and even human text as if it had lost the tail.
    Values, NaN where nothing was counted: `hit` (share of cells hit), `unreached` (share of the tail's p in cells
    without a document), `tail_share` (share of documents in the tail), and what N documents of the shares p would have:
    `expected_hit` (mean of 1 - (1 - p)^N), `expected_unreached`, `expected_tail_share` (the tail's p, whatever N).

    The pitfall: too many cells; with fewer than some 20 counts each, p is noise, and so is what is expected of it.

    >>> cells = Cells(Codebook(np.array([[0.0], [1.0], [5.0]]), np.array([50, 45, 5]), np.array([False, False, True])))
    >>> cells.update(np.array([[0.1], [0.2], [1.2]]))
    >>> {name: round(value, 2) for name, value in cells.get().items()}  # doctest: +NORMALIZE_WHITESPACE
    {'hit': 0.67, 'expected_hit': 0.62, 'unreached': 1.0, 'expected_unreached': 0.86,
     'tail_share': 0.0, 'expected_tail_share': 0.05}
    """

    def __init__(self, codebook: Codebook) -> None:
        self._codebook = codebook
        self._shares = codebook.counts / codebook.counts.sum()
        self.counts: NDArray[np.int64] = np.zeros(len(codebook.centres), np.int64)

    def update(self, batch: Vectors) -> None:
        """Count vectors in their cells."""
        self.counts = self.counts + _counted(batch, self._codebook.centres)

    def merge(self, other: "Cells") -> None:
        """Add what another has counted."""
        self.counts = self.counts + other.counts

    def get(self) -> Mapping[str, float]:
        """Return the values and what is expected."""
        number = int(self.counts.sum())
        empty, expected = self.counts == 0, (1 - self._shares) ** number
        tail = np.where(self._codebook.tail, self._shares, 0.0)
        mass = tail.sum() or np.nan
        values = {
            "hit": 1 - empty.mean(),
            "expected_hit": 1 - expected.mean(),
            "unreached": tail @ empty / mass,
            "expected_unreached": tail @ expected / mass,
            "tail_share": self.counts[self._codebook.tail].sum() / max(number, 1),
            "expected_tail_share": tail.sum(),
        }
        return {name: float(value) if number else np.nan for name, value in values.items()}

    def state(self) -> State:
        """Return the counts of the cells."""
        return {"counts": self.counts}

    def restore(self, state: State) -> None:
        """Become what returned the state."""
        self.counts = state["counts"]


def fit(vectors: Vectors, cells: int, seed: int) -> Codebook:
    """Return the k-means centres of every other vector (n, d), and the counts of those between."""
    fitted, others = vectors[::2], vectors[1::2]
    centres = KMeans(cells, n_init=1, random_state=seed).fit(fitted).cluster_centers_.astype(np.float64)
    return Codebook(centres, _counted(others, centres), _rarest(_counted(fitted, centres)))


def nearest(vectors: Vectors, centres: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the cell of each vector (n,)."""
    # Half the squared distance, without the vector's own square, which is the same for every centre.
    return np.asarray(np.argmin((centres**2).sum(1) / 2 - vectors @ centres.T, axis=1), np.int64)


def _counted(vectors: Vectors, centres: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return how many vectors are nearest to each centre."""
    return np.bincount(nearest(vectors, centres), minlength=len(centres))


def _rarest(counts: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which are the rarest cells, as few as together hold a tenth of the counts or more."""
    order = np.argsort(counts, kind="stable")
    number = np.searchsorted(np.cumsum(counts[order]) * _TAIL, counts.sum()) + 1
    tail = np.zeros(len(counts), np.bool_)
    tail[order[:number]] = True
    return tail
