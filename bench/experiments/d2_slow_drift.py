"""D2: how soon is a source found whose scores drift by .02 standard deviations a window?

Setting: the product's change test takes 2,000 documents of a source as its baseline, then tests cells of 25. Scores are
as in a sketch, four a document; from the first tested document on, one of them falls in a straight line, by .02 of its
deviation every 200 or 1,000 documents. Once with independent normal scores, for which there is a theory, and once with
the scores of a healthy n-gram source, drawn with replacement, its surprisal falling.

Theory, derived here. A normal score that has shifted by d has E(1 - 2p) = 2 Phi(d / sqrt 2) - 1, about d / sqrt pi.
A bet of stake l wins l (d / sqrt pi - b) - l^2 / 6 a document in the mean, b = .05 being the tolerance. With d = r n
this is negative, and the test waits, until n0 = (b + l / 6) sqrt(pi) / r; from there the gains add up to
l r (n - n0)^2 / (2 sqrt pi). The alarm needs ln c, and ln 32 for the mean over 4 statistics and 8 bets, of which one
wins: n = n0 + sqrt(2 sqrt(pi) ln(32 c) / (l r)), least for the smallest stake, .25. The median has to be at most 1.1 of
this: the theory leaves out the chance that an evidence before n0 was left, which only helps, and is rounded to cells.
"""

from collections.abc import Iterator
from itertools import count, islice
from math import ceil, inf, log, pi, sqrt

import numpy as np

from experiments.bar import Bar
from experiments.detectors import Scores
from experiments.plays import columns, documents, human
from services import artefact
from services.artefact import SCORES, TRAITS
from services.generate.ngram import NgramModel
from services.monitor import change
from services.monitor.cell import Cell
from streams.stats.documents import WORDS, Documents
from streams.stats.sequential import BETS, CELL, threshold
from streams.stats.syntax import NONE

DRIFT, WINDOWS = 0.02, (200, 1_000)
LIMIT = threshold(25_000_000, 4)  # of a recipe with three sources
TOLERANCE, STAKE = 0.05, 0.25
RUNS, SLACK, FITTED, LEARNT, SAID = 15, 1.1, 1_000, 4_000, 5_000
BASELINE = change.ADMISSION // CELL  # cells


def run(seed: int, runs: int = RUNS) -> list[Bar]:
    """Measure the delays."""
    rng, bars = np.random.default_rng(seed), []
    for name, pool in pools(rng).items():
        for window in WINDOWS:
            most = SLACK * expected(window)
            delays = [_delay(rng, pool, DRIFT / window, ceil(3 * most)) for _ in range(runs)]
            found = float(np.median(delays))
            bars.append(Bar(f"{name}, window {window:,}: documents to the alarm", found, most, kind="at most"))
    return bars


def expected(window: int) -> float:
    """Return after how many documents theory expects the alarm."""
    rate = DRIFT / window
    waits = (TOLERANCE + STAKE / 6) * sqrt(pi) / rate
    return waits + sqrt(2 * sqrt(pi) * log(len(SCORES) * BETS * LIMIT) / (STAKE * rate))


def pools(rng: np.random.Generator) -> dict[str, Scores]:
    """Return what scores are drawn from."""
    return {"normal scores": rng.normal(size=(200_000, len(SCORES))), "n-gram source": _of_source(rng)}


def _of_source(rng: np.random.Generator) -> Scores:
    """Return the scores of a healthy source; the first have no past."""
    plays = [documents()[place] for place in rng.permutation(len(documents()))]
    fitted = artefact.build(1, [human(text) for text in plays[:FITTED]])
    model = NgramModel(plays[FITTED : FITTED + LEARNT], order=2)
    said = [
        model.document(seed=number, temperature=1.0, words=80) for number in rng.integers(0, 1 << 62, SAID).tolist()
    ]
    scores = columns(fitted, said).scores.astype(np.float64)
    return scores[~np.isnan(scores).any(axis=1)]


def cells(rng: np.random.Generator, pool: Scores, rate: float) -> Iterator[Scores]:
    """Yield the scores of cell after cell: the baseline, then with the last one falling by its deviation's `rate`."""
    fall = rate * pool[:, -1].std()
    for number in count(-BASELINE):
        scores = pool[rng.integers(0, len(pool), CELL)]
        if number >= 0:
            scores[:, -1] -= fall * (number * CELL + np.arange(CELL))
        yield scores


def _delay(rng: np.random.Generator, pool: Scores, rate: float, most: int) -> float:
    """Return after how many tested documents the alarm comes."""
    test = change.fresh(len(SCORES))
    for number, scores in enumerate(islice(cells(rng, pool, rate), BASELINE + most // CELL)):
        test = test.take(_cell(rng, scores, number))
        if test.admitted and test.evidence()[0] >= LIMIT:
            return float(test.tested)
    return inf


def _cell(rng: np.random.Generator, scores: Scores, number: int) -> Cell:
    """Return a cell of which only the scores matter."""
    drawn = Documents(
        keys=rng.integers(0, 1 << 63, CELL).astype(np.uint64),
        words=np.zeros((CELL, WORDS), np.uint32),
        vectors=np.zeros((CELL, 1), np.float16),
        scores=scores.astype(np.float32),
        traits=np.zeros((CELL, len(TRAITS)), np.float32),
        symbols=np.full((CELL, WORDS), NONE, np.uint8),
        strata=np.zeros(CELL, np.uint16),
        meanings=np.empty((CELL, 0), np.float16),
    )
    return Cell(partition=0, number=number, documents=drawn, start=0, end=0, offset=0)
