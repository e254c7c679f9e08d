"""How much of the reference's latent space is reached, and how much lies outside it: nearest-neighbour balls.

Precision stays high while recall and coverage fall when a source collapses, so they are kept apart.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist, pdist, squareform

from streams.stats.statistic import State

Vectors = NDArray[np.floating]


class Reference(NamedTuple):
    """What is frozen of a reference: m vectors (m, d) float32, the distance of each to its k-th neighbour, and k."""

    vectors: NDArray[np.float32]
    radii: NDArray[np.float64]
    k: int


class Keyed(NamedTuple):
    """Vectors (n, d) of documents, and a number (n,) for each document that no other has."""

    keys: NDArray[np.uint64]
    vectors: Vectors


class Coverage:
    """Nearest-neighbour balls of a reference of m vectors, against a sample of at most m of the vectors seen.

    `update` takes `Keyed` vectors. The sample is that of the m least hashes of keys, which is uniform, the same in any
    order, and exact to merge; a key that comes again counts once, so give document ids, not hashes of contents.
    Values, NaN while the sample has no more than k vectors: `precision` (share of the sample within a ball of the
    reference), `recall` (share of the reference within a ball of the sample; both Kynkäänniemi et al. 2019, arXiv
    1904.06991), `density` (balls of the reference around a sampled vector, over k) and `coverage` (share of the
    reference's balls with a sampled vector in them; both Naeem et al. 2020, arXiv 2002.09797).

    Two samples of one distribution have a coverage of 1 - 2^-k, not 1, and all but precision and density depend on the
    size of the sample: compare only equal sizes.

    >>> rng = np.random.default_rng(0)
    >>> coverage = Coverage(fit(rng.normal(size=(400, 4)), k=5))
    >>> coverage.update(Keyed(np.arange(400, dtype=np.uint64), rng.normal(size=(400, 4)) / 4))
    >>> {name: round(value, 2) for name, value in coverage.get().items()}
    {'precision': 1.0, 'recall': 0.09, 'density': 1.25, 'coverage': 0.25}
    """

    def __init__(self, reference: Reference) -> None:
        self._reference = reference
        self.hashes: NDArray[np.uint64] = np.empty(0, np.uint64)
        self.vectors: NDArray[np.float32] = np.empty((0, reference.vectors.shape[1]), np.float32)

    def update(self, batch: Keyed) -> None:
        """Take the vectors that belong to the sample."""
        self._take(_mixed(batch.keys), batch.vectors)

    def merge(self, other: "Coverage") -> None:
        """Take what belongs to the sample of both."""
        self._take(other.hashes, other.vectors)

    def get(self) -> Mapping[str, float]:
        """Return the values; takes some 0.1 s for a full sample of 1,000."""
        k = self._reference.k
        if len(self.vectors) <= k:
            return dict.fromkeys(("precision", "recall", "density", "coverage"), np.nan)
        apart = cdist(self._reference.vectors, self.vectors)
        balls = apart < self._reference.radii[:, np.newaxis]
        return {
            "precision": float(balls.any(0).mean()),
            "recall": float((apart < _radii(self.vectors, k)).any(1).mean()),
            "density": float(balls.sum(0).mean() / k),
            "coverage": float(balls.any(1).mean()),
        }

    def state(self) -> State:
        """Return the sample, by rising hash."""
        return {"hashes": self.hashes, "vectors": self.vectors}

    def restore(self, state: State) -> None:
        """Become what returned the state."""
        self.hashes, self.vectors = state["hashes"], state["vectors"]

    def _take(self, hashes: NDArray[np.uint64], vectors: Vectors) -> None:
        most = len(self._reference.vectors)
        if len(self.hashes) == most:
            least = hashes < self.hashes[-1]
            hashes, vectors = hashes[least], vectors[least]
        if len(hashes):
            together, places = np.unique(np.concatenate((self.hashes, hashes)), return_index=True)
            self.hashes = together[:most]
            self.vectors = np.concatenate((self.vectors, vectors.astype(np.float32)))[places[:most]]


def fit(reference: Vectors, k: int = 5, most: int = 1_000) -> Reference:
    """Freeze at most `most` vectors of a reference (n, d), evenly spaced, and the balls to their k-th neighbours."""
    if len(reference) <= k:
        raise ValueError(f"{len(reference)} reference vectors have no {k} neighbours each; give more")
    places = np.linspace(0, len(reference) - 1, min(len(reference), most)).astype(int)
    vectors = reference[places].astype(np.float32)
    return Reference(vectors, _radii(vectors, k), k)


def _radii(vectors: NDArray[np.float32], k: int) -> NDArray[np.float64]:
    """Return the distance of each vector to its k-th neighbour; at place 0 is the vector itself."""
    return np.asarray(np.partition(squareform(pdist(vectors)), k)[:, k])


def _mixed(keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return hashes of keys, one to one (SplitMix64's end), so that keys in a row are sampled evenly too."""
    out = (keys ^ (keys >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    out = (out ^ (out >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(out ^ (out >> np.uint64(31)))
