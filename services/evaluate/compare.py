"""Whether a model has become worse than an earlier one on the same documents: paired, with bounds that hold.

The bootstrap's interval is for the eye. What decides is a lower bound by betting, valid for every sample size and
distribution (Waudby-Smith and Ramdas 2024, J. R. Stat. Soc. B 86, arXiv 2010.09686), at a level that shrinks with the
cycle so that all of them together are wrong with probability alpha (alpha spending: Lan and DeMets 1983,
Biometrika 70). A union bound, so it holds although every cycle is scored on the same documents.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

LARGEST = 1.0  # nats; a larger difference of one document counts as so much
_RESAMPLES = 1_000
_CHUNK = 100
_BET = 0.5  # share of the capital that is bet at most
_FIRST_SPREAD = 0.01  # variance that is assumed before the first document, where the whole range is 1
_HALVINGS = 40

Differences = NDArray[np.float64]


class Interval(NamedTuple):
    """Both ends."""

    low: float
    high: float


def level(alpha: float, cycle: int) -> float:
    """Return what cycle 1, 2 and so on may spend of alpha; all together spend it."""
    return alpha * 6 / (math.pi * cycle) ** 2


def bootstrap(differences: Differences, rng: np.random.Generator, *, coverage: float = 0.95) -> Interval:
    """Return the percentile interval of the mean over resampled documents (Efron and Tibshirani 1993, chapter 13)."""
    size = len(differences)
    means = [
        differences[rng.integers(0, size, (_CHUNK, size))].mean(axis=1) for _ in range(math.ceil(_RESAMPLES / _CHUNK))
    ]
    low, high = np.quantile(np.concatenate(means), [(1 - coverage) / 2, (1 + coverage) / 2])
    return Interval(float(low), float(high))


def lower_bound(differences: Differences, alpha: float) -> float:
    """Return what the mean of the differences, cut at LARGEST, is below with probability alpha at most.

    The documents must come in an order that their losses have no part in.
    """
    scaled = (np.clip(differences, -LARGEST, LARGEST) + LARGEST) / (2 * LARGEST)
    stakes = _stakes(scaled, alpha)
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        wins = np.cumsum(np.log1p(np.minimum(stakes, _BET / middle) * (scaled - middle)))
        low, high = (middle, high) if wins.max() >= -math.log(alpha) else (low, middle)
    return (2 * low - 1) * LARGEST


def _stakes(scaled: Differences, alpha: float) -> Differences:
    """Return how much to bet on each document, by the spread of those before it alone."""
    size = len(scaled)
    numbers = np.arange(1, size + 1)
    means = (0.5 + np.cumsum(scaled)) / (numbers + 1)
    spreads = (_FIRST_SPREAD + np.cumsum((scaled - means) ** 2)) / (numbers + 1)
    before = np.concatenate(([_FIRST_SPREAD], spreads[:-1]))
    stakes: Differences = np.sqrt(2 * -math.log(alpha) / (size * before))
    return stakes
