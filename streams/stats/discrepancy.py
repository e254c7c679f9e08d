"""How far latent vectors are from a reference's: the maximum mean discrepancy, by random Fourier features.

A mean of features adds up and has a fixed size, where the exact estimate needs every vector of both sides.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist, pdist

from streams.stats.statistic import State

Vectors = NDArray[np.floating]
_FOR_BANDWIDTH = 1_000  # vectors: their distances are half a million
_CHUNK = 1_000


class Features(NamedTuple):
    """What is frozen of a reference: frequencies (d, features), the sum of its features, and its number of vectors."""

    bandwidth: float
    frequencies: NDArray[np.float32]
    total: NDArray[np.float64]
    number: int


class Discrepancy:
    """Squared maximum mean discrepancy to a reference, with the kernel exp(-|x - y|² / (2 bandwidth²)).

    `update` takes latent vectors (n, d). Value: `mmd2`, unbiased (the U-statistic of Gretton et al. 2012, JMLR 13), of
    random Fourier features (Rahimi & Recht 2007, NeurIPS 20), in pairs of a cosine and a sine, so that k(x, x) is 1 and
    leaves the sums exactly; NaN below two vectors. Being unbiased, it is below 0 half the time when both sides are
    alike. The features add a relative error of some 1 / sqrt(features), the same for all windows of one `Features`.
    They are reckoned in single precision, so merged parts and one pass differ by some 1e-12.

    The pitfall: the frequencies, or the space of the vectors, fitted on what they are then compared with.

    >>> rng = np.random.default_rng(0)
    >>> discrepancy = Discrepancy(fit(rng.normal(size=(500, 4)), seed=1))
    >>> discrepancy.update(rng.normal(1, 1, (500, 4)))
    >>> {name: round(value, 2) for name, value in discrepancy.get().items()}
    {'mmd2': 0.26}
    """

    def __init__(self, features: Features) -> None:
        self._features = features
        self.total: NDArray[np.float64] = np.zeros_like(features.total)
        self.number = 0

    def update(self, batch: Vectors) -> None:
        """Add the features of vectors."""
        self.total = self.total + _summed(batch, self._features.frequencies)
        self.number += len(batch)

    def merge(self, other: "Discrepancy") -> None:
        """Add what another has seen."""
        self.total = self.total + other.total
        self.number += other.number

    def get(self) -> Mapping[str, float]:
        """Return the unbiased estimate."""
        reference, n, m = self._features.total, self.number, self._features.number
        if min(n, m) < 2:  # noqa: PLR2004 - a U-statistic is of pairs
            return {"mmd2": np.nan}
        across = self.total @ reference / (n * m)
        return {"mmd2": float(_within(self.total, n) + _within(reference, m) - 2 * across)}

    def state(self) -> State:
        """Return the sum of features and the number of vectors."""
        return {"total": self.total, "number": np.array(self.number, np.int64)}

    def restore(self, state: State) -> None:
        """Become what returned the state."""
        self.total, self.number = state["total"], int(state["number"])


def fit(reference: Vectors, *, seed: int, features: int = 512) -> Features:
    """Return the features of a reference (m, d); the bandwidth is the median distance of at most 1,000 vectors."""
    some = reference[np.linspace(0, len(reference) - 1, min(len(reference), _FOR_BANDWIDTH)).astype(int)]
    bandwidth = float(np.median(pdist(some)))
    if not bandwidth > 0:
        raise ValueError(f"At least half of {len(some)} reference vectors are the same; give a reference that varies")
    drawn = np.random.default_rng(seed).normal(0, 1 / bandwidth, (reference.shape[1], features))
    frequencies = drawn.astype(np.float32)
    chunks = (reference[start : start + _CHUNK] for start in range(0, len(reference), _CHUNK))
    total = sum((_summed(chunk, frequencies) for chunk in chunks), np.zeros(2 * features))
    return Features(bandwidth, frequencies, total, len(reference))


def mmd2_exact(x: Vectors, y: Vectors, bandwidth: float) -> float:
    """Return the unbiased estimate from all pairs of x (n, d) and y (m, d); takes time and memory n * m."""
    xx, yy, xy = (np.exp(cdist(a, b, "sqeuclidean") / (-2 * bandwidth**2)) for a, b in ((x, x), (y, y), (x, y)))
    n, m = len(x), len(y)
    return float((xx.sum() - n) / (n * (n - 1)) + (yy.sum() - m) / (m * (m - 1)) - 2 * xy.mean())


def _summed(vectors: Vectors, frequencies: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the sum of the features of vectors; single precision makes sines ten times faster than double."""
    phases = vectors.astype(np.float32) @ frequencies
    summed = np.concatenate((np.cos(phases).sum(0, np.float64), np.sin(phases).sum(0, np.float64)))
    return np.asarray(summed / np.sqrt(frequencies.shape[1]))


def _within(total: NDArray[np.float64], number: int) -> float:
    """Return the mean kernel of pairs of different vectors."""
    return float(total @ total - number) / (number * (number - 1))
