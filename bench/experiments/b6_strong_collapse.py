"""B6: a constant share of unverified synthetic data leaves a floor of error that no amount of data removes.

Setting: x ~ N(0, I), d = 20, noise of variance 1, n rows, of which a share p2 is labelled by a model that is off by a
vector of squared length c^2 = 1 in a random direction; least squares on all. With f = d/n, the error is
f/(1 - f) + (p2^2 + p2 (1 - p2) f/(1 - f)) c^2 for large d and n: at p2 = 0 it vanishes with n, else p2^2 c^2 is left.
Dohmatob et al. 2024, arXiv 2410.04840 (strong model collapse).
"""

import numpy as np
from numpy.typing import NDArray

from experiments.bar import Bar

DIMENSION = 20
TOLERANCE = 0.05  # none is stated for B6; d = 20 is 1.3 % from the limit of large d at n = 100
RUNS = {100: 4000, 1000: 1500, 10_000: 400, 50_000: 400}
SHARES = (0.0, 0.1, 0.3)
Array = NDArray[np.float64]


def run(seed: int) -> list[Bar]:
    """Measure the error without and with a tenth of synthetic data, and the floors at the largest n."""
    rng = np.random.default_rng(seed)
    found = {size: _errors(rng, size, runs) for size, runs in RUNS.items()}
    bars = [
        Bar(f"p2={share}, n={size:,}", found[size][share], _theory(share, size), TOLERANCE)
        for share in (0.0, 0.1)
        for size in RUNS
    ]
    most = max(RUNS)
    clean, tenth, third = (found[most][share] for share in SHARES)
    times = _theory(0.1, most) / _theory(0.0, most)
    bars.append(Bar(f"p2=0.1, n={most:,}: over clean", tenth / clean, times, TOLERANCE))
    return [*bars, Bar(f"p2=0.3, n={most:,}: the floor", third, 0.3**2, TOLERANCE)]


def _theory(share: float, size: int) -> float:
    noise = DIMENSION / (size - DIMENSION)
    return noise + share**2 + share * (1 - share) * noise


def _errors(rng: np.random.Generator, size: int, runs: int) -> dict[float, float]:
    """Return the mean test error for each share, all on the same rows."""
    total = np.zeros(len(SHARES))
    for _ in range(runs):
        rows = rng.standard_normal((size, DIMENSION))
        off = rng.standard_normal(DIMENSION)
        labels = _labels(rows, off / np.linalg.norm(off)) + rng.standard_normal((size, 1))
        total += (np.linalg.solve(rows.T @ rows, rows.T @ labels) ** 2).sum(axis=0)
    return dict(zip(SHARES, (total / runs).tolist(), strict=True))


def _labels(rows: Array, off: Array) -> Array:
    """Return a column for each share: the true model is 0, and the first rows are labelled by the one that is off."""
    labels = np.zeros((len(rows), len(SHARES)))
    for column, share in enumerate(SHARES):
        synthetic = round(share * len(rows))
        labels[:synthetic, column] = rows[:synthetic] @ off
    return labels
