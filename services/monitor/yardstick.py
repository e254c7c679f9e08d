"""What a window of documents is compared with: human documents on which nothing was fitted, and how those vary.

Nulls are windows of disjoint human documents drawn without replacement, at most a quarter of them each: with
replacement, copies destroy what is seen once. Equal sizes always, for nearly every value depends on the size, and
strata in the proportions of what is measured.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services import regions
from services.artefact import Artefact
from services.monitor import meanings
from services.monitor.strata import ONE_POOL, UNCALIBRATED, UNKNOWN, Pools, apportioned, moved, pooled
from services.monitor.summary import summary
from streams.samples import Sample
from streams.stats import cells, coverage, discrepancy, divergence, spectrum
from streams.stats.c2st import Labelled, TwoSample
from streams.stats.documents import Documents, flat, join
from streams.stats.novelty import LENGTHS, Novelty

DRAWS = 40  # human windows that make a null
PART = 4  # human documents at least, in windows
_SEED = 7
_OF_COVERAGE = ("precision", "recall", "density", "coverage")
_Z = 1.96
_LEFT_OUT = 0.05  # of a window may be uncalibrated
_MOVED = 0.1  # in proportions, from which on the null is drawn in those of the window
_STEPS = 20  # to which proportions are rounded
_MOST = 0.5  # of a pool's human documents in one window


class Null(NamedTuple):
    """Median of a statistic over human windows, and half of the width that holds 95 % of them."""

    median: float
    halfwidth: float


class Yardstick:
    """Measures windows of `size` documents against as many human ones; `pools` tell which strata count as one.

    `nulls` are those of windows in the proportions of the human documents; empty where there are too few. `sampled`
    documents of a window have a sentence vector, which adds what `meanings` measures. `regions` are those of the space.
    """

    def __init__(self, human: Documents, size: int, pools: Pools = ONE_POOL, sampled: int = 0) -> None:
        mixed = human.at(np.random.default_rng(_SEED).permutation(len(human.keys)))
        against, self._others = mixed.part(0, size), mixed.part(size, len(mixed.keys))
        vectors = against.vectors.astype(np.float64)
        self._size, self._pools = size, pools
        self._against = against.words
        self._words = divergence.binned(against.flat())
        self._features = discrepancy.fit(vectors, seed=_SEED)
        self._balls = coverage.fit(vectors)
        self._gaussian = spectrum.fit(vectors)
        self.regions = regions.codebook(human.vectors)
        self._meanings = meanings.fit(mixed, sampled, _SEED)
        self._of_others = pooled(self._others.strata, pools)
        self._mixed: dict[tuple[int, ...], Mapping[str, Null]] = {}
        self._is_calibrated = len(human.keys) >= PART * size
        self.nulls = _drawn(self._of_all, [(self._others, size)]) if self._is_calibrated else {}
        if self._meanings is not None and self._is_calibrated:
            self.nulls = {**self.nulls, **_drawn(self._meanings.values, [(self._meanings.others, sampled)])}

    def is_calibrated(self, documents: Documents) -> NDArray[np.bool_]:
        """Return which documents are of strata that the reference has enough of."""
        return np.asarray(pooled(documents.strata, self._pools) != UNCALIBRATED)

    def nulls_of(self, window: Documents) -> Mapping[str, Null]:
        """Return the nulls for windows with the strata of this one; none where the reference can't tell of those."""
        of_window = pooled(window.strata, self._pools)
        if not self._is_calibrated or (of_window == UNCALIBRATED).mean() > _LEFT_OUT:
            return {}
        known = of_window[(of_window != UNCALIBRATED) & (of_window != UNKNOWN)]
        there = np.bincount(self._of_others[self._of_others >= 0], minlength=self._pools.max() + 1)
        if not len(known):
            return self.nulls
        counts = np.bincount(known, minlength=len(there))
        if moved(counts, there) <= _MOVED:
            return self.nulls
        steps = tuple(apportioned(counts / counts.sum(), _STEPS).tolist())
        if steps not in self._mixed:
            self._mixed[steps] = self._in_proportions(np.array(steps), there)
        return self._mixed[steps]

    def values(self, window: Documents) -> dict[str, float]:
        """Return every statistic of a window of documents by name."""
        return self._of_all(window) | (self._meanings.values(window) if self._meanings is not None else {})

    def _of_all(self, window: Documents) -> dict[str, float]:
        vectors, divergent = window.vectors.astype(np.float64), divergence.Divergence(self._words)
        divergent.update(window.flat())
        balls, occupied = coverage.Coverage(self._balls), cells.Cells(self.regions)
        distant, spread = discrepancy.Discrepancy(self._features), spectrum.Spectrum(self._gaussian)
        balls.update(coverage.Keyed(window.keys, vectors))
        for one in (occupied, distant, spread):
            one.update(vectors)
        covered, hit, spectral = balls.get(), occupied.get(), spread.get()
        return {
            **summary(window),
            **divergent.get(),
            "mmd2": distant.get()["mmd2"],
            **{name: covered[name] for name in _OF_COVERAGE},
            "frechet": spectral["frechet"],
            "vendi": spectral["vendi"],
            "c2st_auc": self._told_apart(window),
            "cells_hit": hit["hit"],
            "cells_unreached": hit["unreached"],
        }

    def _told_apart(self, window: Documents) -> float:
        """Return how well a classifier that sees both in turn tells the window from human documents (AUC, .5 to 1)."""
        both = np.stack([self._against[: len(window.keys)], window.words[: len(self._against)]], axis=1)
        test = TwoSample()
        test.update(Labelled(flat(both.reshape(-1, both.shape[-1])), np.arange(2 * len(both)) % 2 == 1))
        return float(test.get()["auc"])

    def _in_proportions(self, steps: NDArray[np.int64], there: NDArray[np.int64]) -> Mapping[str, Null]:
        """Return the nulls of windows of so many steps of each pool; none where a pool has too few documents."""
        wanted = apportioned(steps / steps.sum(), self._size)
        if (wanted > _MOST * there).any():
            return {}
        of_pool = ((self._others.at(self._of_others == pool), count) for pool, count in enumerate(wanted.tolist()))
        return _drawn(self._of_all, [(documents, count) for documents, count in of_pool if count])


def human_documents(artefact: Artefact, samples: list[Sample], memory: int) -> Documents:
    """Return human samples as documents of a stream of their own, in the order of their ids, which is a random one.

    The first `memory` of them fill the memory of novelty; their own is not a number. As many of them get a sentence
    vector as of other documents, which takes 35 ms each: 1,000 documents at 5 of each 25 take 7 s.
    """
    documents = artefact.documents(sorted(samples, key=lambda sample: sample.sample_id))
    novelty = Novelty(memory)
    documents.scores[:, : len(LENGTHS)] = novelty.score(documents.flat())
    documents.scores[:memory, : len(LENGTHS)] = np.nan
    return documents


def _drawn(
    values: Callable[[Documents], Mapping[str, float]], strata: Sequence[tuple[Documents, int]]
) -> Mapping[str, Null]:
    """Return the nulls of windows that have so many of each of these documents."""
    rng, drawn = np.random.default_rng(_SEED), []
    for _ in range(DRAWS):
        parts = [of.at(np.sort(rng.permutation(len(of.keys))[:count])) for of, count in strata]
        drawn.append(values(join(parts)))
    share = max(count / len(of.keys) for of, count in strata)
    names = [name for name in drawn[0] if all(name in each for each in drawn)]
    nulls = {name: _null(np.array([each[name] for each in drawn]), share) for name in names}
    return {name: null for name, null in nulls.items() if np.isfinite(null).all()}


def _null(values: np.ndarray[tuple[int], np.dtype[np.float64]], share: float) -> Null:
    """Return the null of windows that have a share of the documents each.

    The width is by the deviation, for quantiles of forty draws are too rough. Windows of few documents share many, so
    they vary less than new ones do from all of these: in variance by (1 - share) to (1 + share), exact for means.
    """
    wider = ((1 + share) / (1 - share)) ** 0.5
    return Null(float(np.median(values)), float(_Z * wider * values.std(ddof=1)))
