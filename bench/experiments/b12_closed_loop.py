"""B12: the product's controller finds the share that keeps the excess at its set-point, whatever the source does.

Setting: B4's loop with K = 1000 and T = 2000; the excess is sum (p - p_real)^2 over that of real data alone,
(1 - S)/T, which a share a makes 1/(1 - a^2 (1 - 1/(a T))). So a set-point of 2 asks for a = sqrt(1/2) = .7071. Arms:
the product's `step` between .05 and .95, from .95 on, and two fixed shares. Then for 100 generations the source
sharpens, it draws from p^1.15: the excess of a fixed share grows to hundreds, the controller's returns to the
set-point. Afterwards its share climbs back. No theory is at hand for the mean over all of these 100 generations, with
their transient: expected there are measured numbers, those of a plain PI of the same gains for the controller, without
its dwell and its bounded steps. Derived here, from B4.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.bar import Bar
from experiments.zipf import Probabilities, draw, frequencies, zipf
from services.monitor.control import Limits, start, step

CATEGORIES, SIZE, SHARPENED = 1000, 2000, 1.15
TARGET, FIRST, FOUND = 2.0, 0.95, float(np.sqrt(0.5))
LIMITS = Limits(floor=0.05, cap=0.95, target=TARGET)
SETTLING, SETTLED, SHARP, RETURNING, RETURNED = (100, 300, 400, 500, 700)  # the generations at which these end
OF_SHARE, OF_PENALTY, OF_TARGET, OF_SHARP, OF_TRANSIENT, OF_DIP = 0.025, 0.1, 0.05, 0.1, 0.15, 0.05

Share = Callable[[int, float], float]


class Loop(NamedTuple):
    """The share of each generation, and the excess that it had."""

    shares: NDArray[np.float64]
    excess: NDArray[np.float64]


def run(seed: int, runs: int = 10) -> list[Bar]:
    """Measure the closed loop and two fixed shares beside it."""
    rng = np.random.default_rng(seed)
    bars = []
    for share, sharp in ((FIRST, 1310), (FOUND, 305)):
        fixed = [_loop(rng, share, _fixed(share)) for _ in range(runs)]
        theory = 1 / (1 - share * (share - 1 / SIZE))
        bars += [
            Bar(f"fixed a={share:.3f}: excess", _excess(fixed, SETTLING, SETTLED), theory, OF_PENALTY),
            Bar(f"fixed a={share:.3f}, sharpening: excess", _excess(fixed, SETTLED, SHARP), sharp, OF_SHARP),
        ]
    return [*bars, *_controlled([_loop(rng, FIRST, _controller()) for _ in range(runs)])]


def _controlled(loops: list[Loop]) -> list[Bar]:
    lowest = float(np.mean([loop.shares[SETTLED:SHARP].min() for loop in loops]))
    late = (SETTLED + SHARP) // 2
    return [
        Bar("control: share", _share(loops, SETTLING, SETTLED), FOUND, OF_SHARE, "absolute"),
        Bar("control: excess", _excess(loops, SETTLING, SETTLED), TARGET, OF_TARGET),
        Bar("control, sharpening: excess", _excess(loops, SETTLED, SHARP), 2.29, OF_TRANSIENT),
        Bar("control, sharpening, later half: excess", _excess(loops, late, SHARP), TARGET, OF_TARGET),
        Bar("control, sharpening: lowest share", lowest, 0.15, OF_DIP, "absolute"),
        Bar("control, afterwards: share", _share(loops, RETURNING, RETURNED), FOUND, OF_SHARE, "absolute"),
        Bar("control, afterwards: excess", _excess(loops, RETURNING, RETURNED), TARGET, OF_TARGET),
    ]


def _controller() -> Share:
    """Return the product's control law as a function of the generation and its excess."""
    state = replace(start(LIMITS), alpha=FIRST, integral=FIRST)

    def share(generation: int, excess: float) -> float:
        nonlocal state
        state = step(state, generation, excess, LIMITS)
        return state.alpha

    return share


def _fixed(share: float) -> Share:
    return lambda _generation, _excess: share


def _loop(rng: np.random.Generator, share: float, following: Share) -> Loop:
    """Run all generations, each mixed with the share that followed from the one before."""
    law = zipf(CATEGORIES, 1)
    alone = float(1 - (law**2).sum()) / SIZE
    batch = frequencies(draw(rng, law, (1, SIZE)), CATEGORIES)[0]
    loop = Loop(np.empty(RETURNED), np.empty(RETURNED))
    for generation in range(RETURNED):
        batch = _mixed(rng, _source(batch, sharpens=SETTLED <= generation < SHARP), law, round(share * SIZE))
        excess = float(((batch - law) ** 2).sum()) / alone
        loop.shares[generation], loop.excess[generation] = share, excess
        share = following(generation, excess)
    return loop


def _source(batch: Probabilities, *, sharpens: bool) -> Probabilities:
    sharper = batch**SHARPENED if sharpens else batch
    source: Probabilities = sharper / sharper.sum()
    return source


def _mixed(rng: np.random.Generator, source: Probabilities, law: Probabilities, synthetic: int) -> Probabilities:
    counts = rng.multinomial(synthetic, source) + rng.multinomial(SIZE - synthetic, law)
    mixed: Probabilities = counts / SIZE
    return mixed


def _share(loops: list[Loop], begin: int, end: int) -> float:
    return float(np.mean([loop.shares[begin:end] for loop in loops]))


def _excess(loops: list[Loop], begin: int, end: int) -> float:
    return float(np.mean([loop.excess[begin:end] for loop in loops]))
