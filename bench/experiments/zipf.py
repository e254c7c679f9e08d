"""Zipf's law, and samples of it as arrays of one row a run: what the categorical experiments start from."""

import numpy as np
from numpy.typing import NDArray

Probabilities = NDArray[np.float64]
Samples = NDArray[np.int32]


def zipf(size: int, exponent: float) -> Probabilities:
    """Return the probabilities of `size` categories, falling as rank to the power of -exponent."""
    weights = np.arange(1.0, size + 1) ** -exponent
    law: Probabilities = weights / weights.sum()
    return law


def draw(rng: np.random.Generator, probabilities: Probabilities, shape: tuple[int, int]) -> Samples:
    """Draw categories independently."""
    # the last sum may round to below 1, so it is left out: whatever lies above the others is the last category
    return np.searchsorted(np.cumsum(probabilities)[:-1], rng.random(shape), side="right").astype(np.int32)


def again(rng: np.random.Generator, samples: Samples, count: int) -> Samples:
    """Draw `count` from the empirical distribution of each row, which is the model fitted to it."""
    return np.take_along_axis(samples, rng.integers(samples.shape[1], size=(len(samples), count)), axis=1)


def frequencies(samples: Samples, size: int) -> Probabilities:
    """Return the share of each category in each row."""
    runs, count = samples.shape
    flat = (samples + np.arange(runs)[:, np.newaxis] * size).ravel()
    shares: Probabilities = np.bincount(flat, minlength=runs * size).reshape(runs, size) / count
    return shares
