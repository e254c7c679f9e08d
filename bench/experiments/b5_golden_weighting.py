"""B5: weighting fresh real data right makes a loop with synthetic data better than real data alone.

Setting: the mean of N(0, 1); each step has n fresh real points and m = n/r of the last model, and the new mean is w
times the real mean plus 1 - w times the synthetic one. V = w^2/n + (1 - w)^2 (V + 1/m) settles, relative to 1/n, at
V(w) = (w^2 + r (1 - w)^2) / (w (2 - w)), least at w* = (sqrt(r^2 + 4r) - r)/2, where V(w*) = w*: for r = 1 that is the
inverse of the golden ratio. Plain pooling of equal parts is w = 1/2.
He et al. 2025, arXiv 2502.18049.
"""

import numpy as np

from experiments.bar import Bar

REAL = 10
SETTLED = 40  # at w = .1 a step forgets a fifth of its variance
TOLERANCE = 0.03


def run(seed: int, runs: int = 4000) -> list[Bar]:
    """Measure the variance at the best weight for three ratios, and at two other weights."""
    rng = np.random.default_rng(seed)
    best = [(ratio, (float(np.sqrt(ratio**2 + 4 * ratio)) - ratio) / 2) for ratio in (1, 0.5, 0.25)]
    bars = [Bar(f"best: r={ratio}, w={w:.3f}", _variance(rng, ratio, w, runs), w, TOLERANCE) for ratio, w in best]
    for ratio, w in ((1, 0.5), (1, 0.1)):
        theory = (w**2 + ratio * (1 - w) ** 2) / (w * (2 - w))
        bars.append(Bar(f"r={ratio}, w={w}", _variance(rng, ratio, w, runs), theory, TOLERANCE))
    return bars


def _variance(rng: np.random.Generator, ratio: float, weight: float, runs: int) -> float:
    """Return the settled variance relative to that of real data alone."""
    mean, synthetic = np.zeros(runs), round(REAL / ratio)
    found = []
    for step in range(2 * SETTLED):
        real = rng.standard_normal((REAL, runs)).mean(axis=0)
        own = (mean + rng.standard_normal((synthetic, runs))).mean(axis=0)
        mean = weight * real + (1 - weight) * own
        if step >= SETTLED:
            found.append((mean**2).mean())
    return float(np.mean(found)) * REAL
