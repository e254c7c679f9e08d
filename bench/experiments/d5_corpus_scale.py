"""D5: over a corpus of 3,000 documents the rare words tell the first generation, and a window's divergence does not.

Setting: n-gram sources at T = 1, the first generation trained on 3,000 documents of the plays, each later one on the
3,000 documents of the one before it. Hapax share and Good-Turing mass are the product's `Growth`, of all 64 x 3,000
words; the band is the mean and 1.96 deviations of 40 draws of as many human documents that no source was trained on.
These draws overlap, each being a share f of what there is, so their deviation is divided by sqrt(1 - f). Wanted: the
first generation below the band in both, and each later one farther.
The Jensen-Shannon divergence of a window of 200, in the same way, is blind: the median window of the first generation
lies within the human band. Of 3,000 documents it is not blind: it leaves the band too, but by less than hapax does.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.bar import Bar
from experiments.plays import documents, flat
from services.generate.ngram import NgramModel
from streams.stats.divergence import Divergence, binned
from streams.stats.growth import Growth

CORPUS, WINDOW, DRAWS, GENERATIONS = 3_000, 200, 40, 3
SOURCES = {"order 3": (3, 0.0), "order 3, 30 % back-off": (3, 0.3), "order 2": (2, 0.0)}
Z = 1.96

Values = NDArray[np.float64]


class Band(NamedTuple):
    """Mean of hapax share, Good-Turing mass and divergence over human text, and half the width of 95 %."""

    mean: Values
    half: Values

    def outside(self, values: Values) -> Values:
        """Return by how many half widths the values lie from the mean; beyond 1 is outside."""
        return (values - self.mean) / self.half


def run(seed: int, generations: int = GENERATIONS) -> list[Bar]:
    """Train generation after generation and hold each against human text."""
    rng = np.random.default_rng(seed)
    plays = [documents()[place] for place in rng.permutation(len(documents()))]
    against, learnt, others = plays[:CORPUS], plays[CORPUS : 2 * CORPUS], plays[2 * CORPUS :]
    corpus, window = _band(rng, against, others, CORPUS), _band(rng, against, others, WINDOW)
    bars = []
    for name, (order, backoff) in SOURCES.items():
        said, rows = learnt, []
        for number in range(generations):
            model = NgramModel(said, order=order, backoff=backoff)
            keys = rng.integers(0, 1 << 62, CORPUS).tolist()
            said = [model.document(seed=key, temperature=1.0, words=80) for key in keys]
            rows.append(corpus.outside(_values(against[:CORPUS], said)))
            if number == 0:
                first = said
        bars += _bars(name, np.array(rows), window, [_values(against[:WINDOW], part) for part in _windows(first)])
    return bars


def _bars(name: str, rows: Values, window: Band, windows: list[Values]) -> list[Bar]:
    """`rows` are generations, by how far they are outside."""
    apart = np.median([abs(window.outside(each)[2]) for each in windows])
    later = float(np.diff(rows[:, :2], axis=0).max())
    return [
        Bar(f"{name}, generation 1: hapax, in half widths of the band", float(rows[0, 0]), -1, kind="at most"),
        Bar(f"{name}, generation 1: Good-Turing, the same", float(rows[0, 1]), -1, kind="at most"),
        Bar(f"{name}, later generations: smallest fall of both", later, 0, kind="at most"),
        Bar(f"{name}, generation 1: divergence of windows of {WINDOW}", float(apart), 1, kind="at most"),
        Bar(
            f"{name}, generation 1: divergence of all, against hapax",
            float(rows[0, 2] / -rows[0, 0]),
            1,
            kind="at most",
        ),
    ]


def _band(rng: np.random.Generator, against: list[str], others: list[str], size: int) -> Band:
    drawn = np.array(
        [
            _values(against[:size], [others[place] for place in rng.permutation(len(others))[:size]])
            for _ in range(DRAWS)
        ]
    )
    return Band(drawn.mean(axis=0), Z * drawn.std(axis=0, ddof=1) / np.sqrt(1 - size / len(others)))


def _values(against: list[str], said: list[str]) -> Values:
    texts, growth, divergent = flat(said), Growth(), Divergence(binned(flat(against)))
    growth.update(texts)
    divergent.update(texts)
    found = growth.get()
    return np.array([found["hapax"], found["good_turing"], divergent.get()["jsd"]])


def _windows(said: list[str]) -> list[list[str]]:
    return [said[start : start + WINDOW] for start in range(0, len(said), WINDOW)]
