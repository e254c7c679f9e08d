"""B2: a table of frequencies refitted on its own samples: replacing empties it, accumulating keeps what was seen.

Setting: Zipf(1) over K = 1000 categories; generation 0 is fitted to T real draws, and each of g more to T draws of the
last one (replace) or of the pool of all (accumulate). With S = sum p^2, a fit takes 1/T of the diversity 1 - S, and in
a pool of j batches 1/(T j^2) of it, so E(1 - S_g) = (1 - S_0)(1 - 1/T)^(g+1), or (1 - S_0) prod (1 - 1/(T j^2)),
j = 1..g+1. The support of T draws is sum 1 - (1 - p)^T, and stays that if the pool is kept. If it is replaced, only the
categories of those A first draws are left from which all T of the last sample descend; A is what is left of T after g
times throwing that many balls into T boxes (the ancestors in a Wright-Fisher population).
Seddik et al. 2024, arXiv 2404.05090; Shumailov et al. 2024, Nature 631.
"""

from collections.abc import Iterator

import numpy as np

from experiments.bar import Bar
from experiments.zipf import Probabilities, Samples, again, draw, frequencies, zipf

CATEGORIES, LAST = 1000, 100
DIVERSITY, SUPPORT = 0.02, 0.05
MARKS = {1000: (0, 10, 50, 100), 100: (100,)}


def run(seed: int, runs: int = 200) -> list[Bar]:
    """Measure both regimes at T = 1000 and, with 60 times the runs, at T = 100, where runs differ more."""
    rng, law = np.random.default_rng(seed), zipf(CATEGORIES, 1)
    bars = []
    for size, many in ((1000, runs), (100, 60 * runs)):
        bars += _replaced(rng, law, size, many)
        bars += _accumulated(rng, law, size, runs)
    return bars


def _replaced(rng: np.random.Generator, law: Probabilities, size: int, runs: int) -> list[Bar]:
    bars = []
    for generation, samples in enumerate(_generations(rng, law, (runs, size))):
        if generation in MARKS[size]:
            name = f"replace, T={size}, g={generation}"
            kept = _diversity(law) * (1 - 1 / size) ** (generation + 1)
            bars += _bars(name, samples, kept, _support(law, size, generation))
    return bars


def _generations(rng: np.random.Generator, law: Probabilities, shape: tuple[int, int]) -> Iterator[Samples]:
    samples = draw(rng, law, shape)
    yield samples
    for _ in range(LAST):
        samples = again(rng, samples, shape[1])
        yield samples


def _accumulated(rng: np.random.Generator, law: Probabilities, size: int, runs: int) -> list[Bar]:
    pool = np.empty((runs, (LAST + 1) * size), np.int32)
    pool[:, :size] = draw(rng, law, (runs, size))
    for end in range(size, pool.shape[1], size):
        pool[:, end : end + size] = again(rng, pool[:, :end], size)
    kept = _diversity(law) * float(np.prod(1 - 1 / (size * np.arange(1, LAST + 2) ** 2)))
    return _bars(f"accumulate, T={size}, g={LAST}", pool, kept, _support(law, size, 0))


def _bars(name: str, samples: Samples, diversity: float, support: float) -> list[Bar]:
    found = frequencies(samples, CATEGORIES)
    return [
        Bar(f"{name}: 1-S", _diversity(found), diversity, DIVERSITY),
        Bar(f"{name}: support", float((found > 0).sum(axis=1).mean()), support, SUPPORT),
    ]


def _diversity(probabilities: Probabilities) -> float:
    return float(1 - (probabilities**2).sum(axis=-1).mean())


def _support(law: Probabilities, size: int, generations: int) -> float:
    """Return the expected number of categories that are left."""
    boxes = np.arange(size + 1) / size
    balls = np.zeros((size + 1, size + 1))  # row a: the law of the number of boxes that a balls fill
    balls[0, 0] = 1
    for count in range(size):
        balls[count + 1] = balls[count] * boxes
        balls[count + 1, 1:] += (balls[count] * (1 - boxes))[:-1]
    ancestors = np.eye(size + 1)[size]
    for _ in range(generations):
        ancestors = ancestors @ balls
    seen = [(1 - (1 - law) ** count).sum() for count in range(size + 1)]
    return float(ancestors @ seen)
