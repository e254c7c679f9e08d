"""B3: a Gaussian refitted on its own samples: its variance dies, unless the samples are accumulated.

Setting: N(0, 1), n samples a generation, g refits. With the variance over n, a refit multiplies it by chi2(n-1)/n
(drawn so here: that is its exact law), so E = (1 - 1/n)^g, and its logarithm is a sum, so the median is near
exp(g (psi((n-1)/2) - ln(n/2))). With the unbiased variance the mean stays 1, but E log is g (psi((n-1)/2) -
ln((n-1)/2)): it still dies. Accumulated (drawn as points), the pool of j batches loses 1/(n j^2) of its variance, so
E tends to prod (1 - 1/(n j^2)) = sin(pi/sqrt n) / (pi/sqrt n); the second moment of the pool is a martingale, so the
squared error of the mean tends to 1 minus that, at most pi^2/(6n).
Shumailov et al. 2024, Nature 631 (theorem 3.1); Kazdan et al. 2024, arXiv 2410.16713.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma

from experiments.bar import Bar

TOLERANCE, OF_MEAN = 0.02, 0.05  # none is stated for B3; the error of a mean is the noisier one
ENOUGH = 200  # generations of accumulation: what is left to lose is 1/(200 n)
Array = NDArray[np.float64]


def run(seed: int, runs: int = 400_000) -> list[Bar]:
    """Measure replacing, with both kinds of variance, and, with fewer runs, accumulating."""
    rng = np.random.default_rng(seed)
    early, late = _replace(rng, 100, 10, runs), _replace(rng, 100, 100, runs)
    median = float(np.exp(100 * (digamma(99 / 2) - np.log(100 / 2))))
    unbiased = np.log(_replace(rng, 10, 100, runs // 20)) + 100 * np.log(10 / 9)
    bars = [
        Bar("replace, n=100, g=10: mean", float(early.mean()), 0.99**10, TOLERANCE),
        Bar("replace, n=100, g=100: mean", float(late.mean()), 0.99**100, TOLERANCE),
        Bar("replace, n=100, g=100: median", float(np.median(late)), median, TOLERANCE),
        Bar("unbiased, n=10, g=100: mean log", float(unbiased.mean()), _log_loss(10, 100), TOLERANCE),
    ]
    means, variances = _accumulate(rng, 10, runs // 20)
    error = float((means**2).mean())
    return [
        *bars,
        Bar("accumulate, n=10: variance", float(variances.mean()), _limit(10), TOLERANCE),
        Bar("accumulate, n=100: variance", float(_accumulate(rng, 100, runs // 100)[1].mean()), _limit(100), TOLERANCE),
        Bar("accumulate, n=10: mean's error", error, 1 - _limit(10), OF_MEAN),
        Bar("accumulate, n=10: bound of that", error, np.pi**2 / (6 * 10), kind="at most"),
    ]


def _replace(rng: np.random.Generator, size: int, generations: int, runs: int) -> Array:
    variance = np.ones(runs)
    for _ in range(generations):
        variance *= rng.chisquare(size - 1, runs) / size
    return variance


def _log_loss(size: int, generations: int) -> float:
    return float(generations * (digamma((size - 1) / 2) - np.log((size - 1) / 2)))


def _limit(size: int) -> float:
    angle = np.pi / np.sqrt(size)
    return float(np.sin(angle) / angle)


def _accumulate(rng: np.random.Generator, size: int, runs: int) -> tuple[Array, Array]:
    total, squares = np.zeros(runs), np.zeros(runs)
    mean, variance = np.zeros(runs), np.ones(runs)
    for generation in range(1, ENOUGH + 1):
        points = mean + np.sqrt(variance) * rng.standard_normal((size, runs))
        total += points.sum(axis=0)
        squares += (points**2).sum(axis=0)
        mean = total / (size * generation)
        variance = squares / (size * generation) - mean**2
    return mean, variance
