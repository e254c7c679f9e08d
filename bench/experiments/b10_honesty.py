"""B10: of two halves of human text the monitor says that they are alike, and merging loses nothing.

Setting: the plays, the latent space fitted on 3,000 documents of its own. In each of 20 splits of the others, windows
of 1,000 documents are measured by the product's yardstick, which holds 1,000 more. Coverage of equals is 1 - 2^-5,
.969 (Naeem et al. 2020, arXiv 2002.09797), density 1. The squared discrepancy is unbiased, so its mean over splits lies
within 2 standard errors of 0; a space fitted on what it compares would tell humans from humans and find next to no
recall. The Fréchet distance is all bias, which falls as 1/N. P-values are uniform: the conformal ones of the change
test, one document of each of 2,000 splits, and permutation ones of the discrepancy; the distance of Kolmogorov and
Smirnov stays below its 95 % point. HyperLogLog of merged parts is within 3 relative standard errors,
1.04 / 64 each. Every other statistic of a window is the same from one pass and from seven parts, merged in any order:
exactly where things are counted, and but for rounding where numbers with fractions are summed; MMD² of alike texts is
next to 0 and summed from sines in single precision, so its difference is told in standard errors of it, or relative
where it is larger.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import kstest

from experiments.bar import Bar
from experiments.plays import columns, documents, human
from services import artefact
from services.artefact import Artefact
from services.monitor.yardstick import Yardstick
from streams.stats import cells, coverage, discrepancy, divergence, spectrum, surprisal
from streams.stats.documents import Documents, from_columns
from streams.stats.growth import Growth
from streams.stats.overlap import Overlap
from streams.stats.sequential import Baseline
from streams.stats.sketch import Distinct
from streams.stats.vocabulary import Vocabulary
from streams.words import grams

FITTED, WINDOW, WINDOWS, SPLITS = 3_000, 1_000, 3, 20
SIZES = (250, 500, 1_000, 2_000)
CALIBRATION, CONFORMAL_RUNS = 1_000, 2_000
PERMUTED, PERMUTATIONS, PERMUTATION_RUNS = 100, 39, 60
PARTS = 7
HLL_ERROR = 1.04 / 64
OF_KS, OF_FOUR_KS = 1.358, 1.593  # 95 % points of sqrt(n) times the distance, of one and of the largest of four
OF_COVERAGE, OF_DENSITY, OF_SLOPE, RECALL = 0.01, 0.03, 0.1, 0.85
ROUNDING = 1e-9
CHANCE, OF_CHANCE = 1e-4, 1e-6  # standard error of MMD², and what part of it single precision may make

Rng = np.random.Generator
Pair = tuple[Callable[[], Any], Callable[[Documents], Any]]  # makes a statistic, and what of documents it takes


def run(seed: int, splits: int = SPLITS) -> list[Bar]:
    """Measure human windows against human documents."""
    rng = np.random.default_rng(seed)
    plays = [documents()[place] for place in rng.permutation(len(documents()))]
    fitted = artefact.build(1, [human(text) for text in plays[:FITTED]])
    others = columns(fitted, plays[FITTED:])
    return [
        *_alike(rng, others, splits),
        _shrinking(rng, others, splits),
        _distinct(others),
        *_uniform(rng, others),
        *_merged(rng, fitted, others),
    ]


def _alike(rng: Rng, others: Documents, splits: int) -> list[Bar]:
    """Measure windows; those of one split share what they are compared with, so a split is one observation."""
    names = ("coverage", "density", "recall", "mmd2")
    found = np.array([_split(rng, others, names) for _ in range(splits)])
    covered, dense, recalled, apart = found.mean(axis=0).tolist()
    error = found[:, 3].std(ddof=1) / np.sqrt(splits)
    return [
        Bar("coverage", covered, 1 - 2.0**-5, OF_COVERAGE, "absolute"),
        Bar("density", dense, 1, OF_DENSITY, "absolute"),
        Bar("recall", recalled, RECALL, kind="at least"),
        Bar("recall, least of all splits", float(found[:, 2].min()), RECALL, kind="at least"),
        Bar("MMD², in standard errors", float(apart / error), 0, 2, "absolute"),
    ]


def _split(rng: Rng, others: Documents, names: Sequence[str]) -> NDArray[np.float64]:
    mixed = _taken(others, rng.permutation(len(others.keys)))
    yardstick = Yardstick(mixed.part(0, WINDOW), WINDOW)
    windows = [mixed.part(start * WINDOW, (start + 1) * WINDOW) for start in range(1, WINDOWS + 1)]
    values = [yardstick.values(window) for window in windows]
    return np.array([[each[name] for name in names] for each in values]).mean(axis=0)


def _shrinking(rng: Rng, others: Documents, splits: int) -> Bar:
    means = []
    for size in SIZES:
        found = []
        for _ in range(splits):
            mixed = _vectors(_taken(others, rng.permutation(len(others.keys))[: 2 * size]))
            spread = spectrum.Spectrum(spectrum.fit(mixed[:size]))
            spread.update(mixed[size:])
            found.append(spread.get()["frechet"])
        means.append(float(np.mean(found)))
    slope = np.polyfit(np.log(SIZES), np.log(means), 1)[0]
    return Bar("Fréchet distance: slope on N", float(slope), -1, OF_SLOPE)


def _distinct(others: Documents) -> Bar:
    """Count words, pairs and triples, each in parts, and take the worst."""
    errors = []
    for length in (1, 2, 3):
        seen = grams(others.flat(), length).hashes
        whole = Distinct()
        for part in np.array_split(seen, PARTS):
            one = Distinct()
            one.update(part)
            whole.merge(one)
        errors.append(abs(whole.get()["distinct"] / len(np.unique(seen)) - 1) / HLL_ERROR)
    return Bar("HyperLogLog, merged: worst error, in relative standard errors", max(errors), 3, kind="at most")


def _uniform(rng: Rng, others: Documents) -> list[Bar]:
    scores = others.scores[~np.isnan(others.scores).any(axis=1)].astype(np.float64)
    conformal = np.array([_conformal(rng, scores) for _ in range(CONFORMAL_RUNS)])
    permuted = np.array([_permuted(rng, _vectors(others)) for _ in range(PERMUTATION_RUNS)])
    worst = max(float(kstest(column, "uniform").statistic) for column in conformal.T)
    return [
        Bar("conformal p: worst distance to uniform", worst, OF_FOUR_KS / CONFORMAL_RUNS**0.5, kind="at most"),
        Bar(
            "permutation p of MMD²: distance to uniform",
            float(kstest(permuted, "uniform").statistic),
            OF_KS / PERMUTATION_RUNS**0.5,
            kind="at most",
        ),
    ]


def _conformal(rng: Rng, scores: NDArray[np.float64]) -> NDArray[np.float64]:
    drawn = scores[rng.permutation(len(scores))[: CALIBRATION + 1]]
    return Baseline(drawn[1:]).p_values(drawn[:1], rng.random(1))[0]


def _permuted(rng: Rng, vectors: NDArray[np.float64]) -> float:
    """Return the p-value of two human samples: the place of their discrepancy among those of their mixtures."""
    drawn = vectors[rng.permutation(len(vectors))[: 2 * PERMUTED]]
    real, *mixed = [
        _discrepancy(drawn[rng.permutation(len(drawn)) if number else slice(None)])
        for number in range(PERMUTATIONS + 1)
    ]
    return float((np.sum(np.array(mixed) > real) + rng.random()) / (PERMUTATIONS + 1))


def _discrepancy(both: NDArray[np.float64]) -> float:
    distant = discrepancy.Discrepancy(discrepancy.fit(both[:PERMUTED], seed=1))
    distant.update(both[PERMUTED:])
    return distant.get()["mmd2"]


def _merged(rng: Rng, fitted: Artefact, others: Documents) -> list[Bar]:
    against, window = others.part(0, WINDOW), others.part(WINDOW, 2 * WINDOW)
    counted = max(_difference(rng, make, window, take) for make, take in _counted(against))
    summed = max(_difference(rng, make, window, take) for make, take in _summed(fitted, against))
    features = discrepancy.fit(_vectors(against), seed=1)
    apart = _difference(rng, lambda: discrepancy.Discrepancy(features), window, _vectors, CHANCE)
    return [
        Bar("merged and in one pass, counts: difference", counted, 0, kind="at most"),
        Bar("merged and in one pass, sums: difference", summed, ROUNDING, kind="at most"),
        Bar("merged and in one pass, MMD²: difference", apart, OF_CHANCE, kind="at most"),
    ]


def _counted(against: Documents) -> list[Pair]:
    reference = divergence.binned(against.flat())
    return [(make, Documents.flat) for make in (Vocabulary, Overlap, Growth, lambda: divergence.Divergence(reference))]


def _summed(fitted: Artefact, against: Documents) -> list[Pair]:
    vectors = _vectors(against)
    balls, codebook = coverage.fit(vectors), cells.fit(vectors, 24, 1)
    gaussian = spectrum.fit(vectors)
    return [
        (lambda: surprisal.Surprisal(fitted.surprisal), Documents.flat),
        (lambda: coverage.Coverage(balls), lambda some: coverage.Keyed(some.keys, _vectors(some))),
        (lambda: cells.Cells(codebook), _vectors),
        (lambda: spectrum.Spectrum(gaussian), _vectors),
    ]


def _difference(
    rng: Rng, make: Callable[[], Any], window: Documents, take: Callable[[Documents], Any], least: float = 1e-9
) -> float:
    """Return the largest difference of a value between one pass and merged parts, relative to it or to `least`."""
    whole, merged = make(), make()
    whole.update(take(window))
    bounds = np.linspace(0, len(window.keys), PARTS + 1).astype(int)
    for number in rng.permutation(PARTS).tolist():
        part = make()
        part.update(take(window.part(bounds[number], bounds[number + 1])))
        merged.merge(part)
    one, other = whole.get(), merged.get()
    return max(abs(one[name] - other[name]) / max(abs(one[name]), least) for name in one)


def _vectors(some: Documents) -> NDArray[np.float64]:
    return some.vectors.astype(np.float64)


def _taken(some: Documents, places: NDArray[np.int64]) -> Documents:
    return from_columns({name: column[places] for name, column in some._asdict().items()})
