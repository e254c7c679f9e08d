"""B4: a floor of fresh real data turns the divergence of replacing into a constant penalty, 1/(1 - a^2).

Setting: Zipf(1) over K = 1000, batches of T = 1000, of which a T are drawn from the frequencies of the last batch and
the rest are fresh real draws. With V = E sum (p - p_real)^2 and S = sum p_real^2, a batch of the synthetic share has
V + (1 - S - V)/(a T), so V = a^2 (V + (1 - S - V)/(a T)) + (1 - a)(1 - S)/T, and the ratio to real data alone,
(1 - S)/T, is 1/(1 - a^2 (1 - 1/(a T))). The inverse for large T is the throttle's set-point, a = sqrt(1 - 1/ratio).
Derived here; it is the constant share of fresh data of Fu et al. 2025, arXiv 2502.18865.
"""

import numpy as np

from experiments.bar import Bar
from experiments.zipf import Probabilities, again, draw, frequencies, zipf

CATEGORIES, SIZE = 1000, 1000
SETTLED, EVERY = 60, 5  # at a = .95 a batch forgets a tenth of its variance, so 60 leave 2 in 1000
TOLERANCE = 0.1
SHARES = (0.5, 0.75, 0.9, 0.95)
WANTED = (1.25, 1.5, 2.0, 5.0, 10.0)


def run(seed: int, runs: int = 100) -> list[Bar]:
    """Measure the penalty of four shares, and of the shares that the set-point gives for five penalties."""
    rng, law = np.random.default_rng(seed), zipf(CATEGORIES, 1)
    bars = [
        Bar(f"penalty at a={share}", _penalty(rng, law, share, runs), 1 / (1 - share * (share - 1 / SIZE)), TOLERANCE)
        for share in SHARES
    ]
    for wanted in WANTED:
        share = float(np.sqrt(1 - 1 / wanted))
        bars.append(Bar(f"set-point a={share:.3f}", _penalty(rng, law, share, runs), wanted, TOLERANCE))
    return bars


def _penalty(rng: np.random.Generator, law: Probabilities, share: float, runs: int) -> float:
    """Return the settled variance relative to that of real data alone."""
    synthetic = round(share * SIZE)
    batch = draw(rng, law, (runs, SIZE))
    found = []
    for generation in range(2 * SETTLED):
        fresh = draw(rng, law, (runs, SIZE - synthetic))
        batch = np.concatenate((again(rng, batch, synthetic), fresh), axis=1)
        if generation >= SETTLED and generation % EVERY == 0:
            found.append(((frequencies(batch, CATEGORIES) - law) ** 2).sum(axis=1).mean())
    return float(np.mean(found)) * SIZE / float(1 - (law**2).sum())
