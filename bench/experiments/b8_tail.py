"""B8: the mass of unseen words falls slowly, a cut tail leaves a floor of it, and Good-Turing's f1/N sees both.

Setting: p(i) ~ i^-1.5 over K = 1,000,000 words. A learner with infinite memory errs on the words that it hasn't seen,
so its error is the missing mass, sum p (1 - q)^N after N draws of q. For q = p it falls as N^-(1 - 1/1.5) = N^-1/3, a
bit faster near the end of K. If q is p cut at rank 100, what lies beyond remains, sum p(i > 100) = .0757, while f1/N of
the stream goes to 0: the alarm fires though the error only stalls. With 10 % fresh real draws, q = .9 cut + .1 p, the
error falls again once those resolve the tail. Dohmatob et al. 2024, arXiv 2402.07043.
f1/N is the product's own `good_turing`, from `Vocabulary` (Good 1953, Biometrika 40).
"""

from typing import NamedTuple

import numpy as np

from experiments.bar import Bar
from experiments.zipf import Probabilities, draw, zipf
from streams.stats.vocabulary import Vocabulary
from streams.words import Flat

WORDS, EXPONENT, CUT, FRESH = 1_000_000, 1.5, 100, 0.1
RUNS = {1000: 300, 10_000: 60, 100_000: 16, 1_000_000: 2}
OF_SLOPE, OF_MASS, OF_ESTIMATE = 0.05, 0.03, 0.03


class Seen(NamedTuple):
    """What a stream shows of the law: the mass that it misses, and f1/N."""

    missing: float
    good_turing: float


def run(seed: int) -> list[Bar]:
    """Measure the real stream, the cut one, and the cut one with fresh real draws."""
    rng, real = np.random.default_rng(seed), zipf(WORDS, EXPONENT)
    cut = np.where(np.arange(WORDS) < CUT, real, 0) / real[:CUT].sum()
    whole = {size: _mean(rng, real, real, size) for size in RUNS}
    slope = np.polyfit(np.log(list(RUNS)), np.log([seen.missing for seen in whole.values()]), 1)[0]
    bars = [Bar("real: slope of the missing mass", float(slope), -1 / 3, OF_SLOPE)]
    bars += [Bar(f"real, N={n:,}: f1/N", seen.good_turing, seen.missing, OF_ESTIMATE) for n, seen in whole.items()]
    bars += _of_cut(_mean(rng, cut, real, 10_000), float(real[CUT:].sum()))
    mixed = (1 - FRESH) * cut + FRESH * real
    for size in (100_000, 1_000_000):
        missing = _mean(rng, mixed, real, size).missing
        bars.append(Bar(f"10 % fresh, N={size:,}: missing", missing, _missing(mixed, real, size), OF_MASS))
    return bars


def _of_cut(seen: Seen, floor: float) -> list[Bar]:
    return [
        Bar("cut, N=10,000: missing", seen.missing, floor, OF_MASS),
        Bar("cut, N=10,000: f1/N", seen.good_turing, 0, 0.001, "absolute"),
    ]


def _missing(stream: Probabilities, real: Probabilities, size: int) -> float:
    return float((real * (1 - stream) ** size).sum())


def _mean(rng: np.random.Generator, stream: Probabilities, real: Probabilities, size: int) -> Seen:
    """Return the mean of what samples of the stream show."""
    found = [_seen(rng, stream, real, size) for _ in range(RUNS[size])]
    return Seen(*np.mean(found, axis=0).tolist())


def _seen(rng: np.random.Generator, stream: Probabilities, real: Probabilities, size: int) -> Seen:
    words = draw(rng, stream, (1, size))[0]
    vocabulary = Vocabulary()
    vocabulary.update(Flat(words.astype(np.uint64), np.array([0, size])))  # a number is as good a key as a hash
    unseen = np.ones(WORDS, np.bool_)
    unseen[words] = False
    return Seen(float(real[unseen].sum()), vocabulary.get()["good_turing"])
