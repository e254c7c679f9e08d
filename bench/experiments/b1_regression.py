"""B1: least squares on labels of its own: replacing diverges, accumulating stays bounded, a subsample lies between.

Setting: x ~ N(0, I), d = 10, T = 100 inputs that stay the same, y = x w + noise of variance 1; each model labels the
inputs for the next. With c = d / (T - d - 1) = E tr (X'X)^-1, the fit of generation n adds to the last error: replace a
full noise term, so n c; accumulate a noise term over n (the fit is the mean of n label sets), so c sum 1/i^2, at most
c pi^2/6; halfway (n T labels of the last model only) a variance over n, so c sum 1/i. Accumulate-subsample fits T rows
of the n T accumulated; its expected numbers are measured ones, because to the first order in d/T the theory is
c (2 - 1/n + sum_k (2 - 1/(k-1))/k^2, k = 2..n), which at n = 2, 5, 10 is .197, .269, .298 and too low by 3, 6 and 7 %.
Gerstgrasser et al. 2024, arXiv 2404.01413; Dohmatob et al. 2024, 2402.07712; Kazdan et al. 2024, 2410.16713.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.bar import Bar

DIMENSION, SIZE, LAST = 10, 100, 50
SUBSAMPLE = {1: 0.113, 2: 0.202, 5: 0.283, 10: 0.319}
TOLERANCE = 0.05
Array = NDArray[np.floating[Any]]
Errors = dict[str, float]


def run(seed: int, runs: int = 4000) -> list[Bar]:
    """Measure the four regimes; the subsample has half of the runs, because it is dear."""
    rng = np.random.default_rng(seed)
    errors = list(_same_inputs(rng, runs))
    subsample = list(_subsample(rng, runs // 2))
    unit = DIMENSION / (SIZE - DIMENSION - 1)
    steps = 1 / np.arange(1, LAST + 1)
    theory = {"replace": unit / steps, "accumulate": unit * np.cumsum(steps**2), "halfway": unit * np.cumsum(steps)}
    marks = {"replace": (1, 2, 5, 10, 50), "accumulate": (1, 2, 5, 10, 50), "halfway": (10,)}
    bars = [
        Bar(f"{regime}, n={n}", errors[n - 1][regime], float(theory[regime][n - 1]), TOLERANCE)
        for regime, generations in marks.items()
        for n in generations
    ]
    bars.append(Bar("accumulate, bound at n=50", errors[-1]["accumulate"], unit * np.pi**2 / 6, kind="at most"))
    bars += [Bar(f"subsample, n={n}", subsample[n - 1], number, TOLERANCE) for n, number in SUBSAMPLE.items()]
    return [*bars, Bar("subsample, n=20 to 50", float(np.mean(subsample[19:])), 0.345, 0.015, "absolute")]


def _same_inputs(rng: np.random.Generator, runs: int) -> Iterator[Errors]:
    """Yield the test error of each generation; the truth is w = 0, because least squares does not care."""
    inputs = rng.standard_normal((runs, SIZE, DIMENSION))
    solver = np.linalg.solve(inputs.mT @ inputs, inputs.mT)
    labels = np.zeros((runs, SIZE, 1))
    replace = accumulate = halfway = np.zeros((runs, DIMENSION, 1))
    for n in range(1, LAST + 1):
        replace = solver @ (inputs @ replace + _noise(rng, runs))
        labels += inputs @ accumulate + _noise(rng, runs)
        accumulate = solver @ (labels / n)
        halfway = solver @ (inputs @ halfway + _noise(rng, runs) / np.sqrt(n))  # the mean of n label sets
        yield {"replace": _error(replace), "accumulate": _error(accumulate), "halfway": _error(halfway)}


def _subsample(rng: np.random.Generator, runs: int) -> Iterator[float]:
    inputs = rng.standard_normal((runs, SIZE, DIMENSION))
    pool = np.empty((runs, LAST * SIZE))
    weights: Array = np.zeros((runs, DIMENSION, 1))
    for n in range(1, LAST + 1):
        pool[:, (n - 1) * SIZE : n * SIZE] = (inputs @ weights + _noise(rng, runs))[:, :, 0]
        # the T smallest of n T random numbers are T rows without replacement
        rows = np.argpartition(rng.random((runs, n * SIZE), np.float32), SIZE - 1, axis=1)[:, :SIZE]
        chosen = np.take_along_axis(inputs, (rows % SIZE)[:, :, np.newaxis], axis=1)
        labels = np.take_along_axis(pool, rows, axis=1)[:, :, np.newaxis]
        weights = np.linalg.solve(chosen.mT @ chosen, chosen.mT @ labels)
        yield _error(weights)


def _noise(rng: np.random.Generator, runs: int) -> Array:
    return rng.standard_normal((runs, SIZE, 1))


def _error(weights: Array) -> float:
    return float((weights**2).sum(axis=(1, 2)).mean())
