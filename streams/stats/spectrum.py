"""How many directions latent vectors spread over, and how far their Gaussian is from a reference's: first two moments.

Moments add up, and the eigenvalues of the second are those of the kernel matrix of all vectors, however many they are.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.stats.statistic import State

Vectors = NDArray[np.floating]
Array = NDArray[np.float64]


class Gaussian(NamedTuple):
    """Mean (d,), covariance (d, d) and its square root (d, d) of a reference's normalised vectors."""

    mean: Array
    covariance: Array
    root: Array


class Spectrum:
    """Moments of vectors of length 1, against a reference's.

    `update` takes latent vectors (n, d) of any length; those of length 0 have no direction and are left out. Values:
    `vendi`, the effective number of different documents: exp of the entropy of the eigenvalues of the cosine kernel
    over n (Friedman & Dieng 2023, arXiv 2210.02410), from 1 to d, NaN for none; `frechet`, the squared Fréchet distance
    of the Gaussians with both sides' means and covariances (Heusel et al. 2017, arXiv 1706.08500), NaN below two.

    Vendi grows with n, and the Fréchet distance has a bias of about 1 / n: compare only equal n, with a null.

    >>> rng = np.random.default_rng(0)
    >>> spectrum = Spectrum(fit(rng.normal(size=(2000, 4))))
    >>> spectrum.update(rng.normal(size=(2000, 4)) * [1, 1, 1, 0.1])
    >>> {name: round(value, 2) for name, value in spectrum.get().items()}
    {'vendi': 3.11, 'frechet': 0.19}
    """

    def __init__(self, reference: Gaussian) -> None:
        self._reference = reference
        size = len(reference.mean)
        self.number, self.total, self.squares = 0, np.zeros(size), np.zeros((size, size))

    def update(self, batch: Vectors) -> None:
        """Add the moments of vectors."""
        self._add(*_moments(batch))

    def merge(self, other: "Spectrum") -> None:
        """Add what another has seen."""
        self._add(other.number, other.total, other.squares)

    def get(self) -> Mapping[str, float]:
        """Return the values; takes the eigenvalues of two (d, d) matrices."""
        return {"vendi": self._vendi(), "frechet": self._frechet()}

    def state(self) -> State:
        """Return the moments, of the symmetric one the upper half."""
        upper = self.squares[np.triu_indices(len(self.total))]
        return {"number": np.array(self.number, np.int64), "total": self.total, "upper": upper}

    def restore(self, state: State) -> None:
        """Become what returned the state."""
        self.number, self.total = int(state["number"]), state["total"]
        upper = np.zeros_like(self.squares)
        upper[np.triu_indices(len(self.total))] = state["upper"]
        self.squares = upper + np.triu(upper, 1).T

    def _add(self, number: int, total: Array, squares: Array) -> None:
        self.number += number
        self.total = self.total + total
        self.squares = self.squares + squares

    def _vendi(self) -> float:
        if not self.number:
            return np.nan
        values = np.linalg.eigvalsh(self.squares / self.number)
        shares = values[values > 0]
        return float(np.exp(-shares @ np.log(shares)))

    def _frechet(self) -> float:
        if self.number < 2:  # noqa: PLR2004 - a variance needs two
            return np.nan
        (mean, covariance), reference = _gaussian(self.number, self.total, self.squares), self._reference
        # The eigenvalues of a product of two covariances are those of its symmetric form, which are real.
        cross = np.sqrt(_cleared(np.linalg.eigvalsh(reference.root @ covariance @ reference.root))).sum()
        apart = ((mean - reference.mean) ** 2).sum()
        return float(apart + np.trace(covariance) + np.trace(reference.covariance) - 2 * cross)


def fit(vectors: Vectors) -> Gaussian:
    """Return the Gaussian of a reference (n, d), n at least 2, its vectors brought to length 1."""
    mean, covariance = _gaussian(*_moments(vectors))
    values, directions = np.linalg.eigh(covariance)
    return Gaussian(mean, covariance, (directions * np.sqrt(_cleared(values))) @ directions.T)


def _moments(vectors: Vectors) -> tuple[int, Array, Array]:
    lengths = np.linalg.norm(vectors, axis=1)
    there = lengths > 0
    units = vectors[there].astype(np.float64) / lengths[there, np.newaxis]
    return len(units), units.sum(0), units.T @ units


def _gaussian(number: int, total: Array, squares: Array) -> tuple[Array, Array]:
    mean = total / number
    return mean, (squares - number * np.outer(mean, mean)) / (number - 1)


def _cleared(values: NDArray[np.floating]) -> Array:
    """Return eigenvalues without those that are but rounding, whose square roots would not be small."""
    return np.where(values > values.max() * len(values) * np.finfo(np.float64).eps, values, 0.0)
