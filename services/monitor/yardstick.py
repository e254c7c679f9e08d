"""What a window of documents is compared with: human documents on which nothing was fitted, and how those vary.

Nulls are windows of disjoint human documents drawn without replacement, at most a quarter of them each: with
replacement, copies destroy what is seen once. Equal sizes always, for nearly every value depends on the size.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from services.artefact import Artefact
from services.monitor.summary import summary
from streams.samples import Sample
from streams.stats import cells, coverage, discrepancy, divergence, spectrum
from streams.stats.c2st import Labelled, TwoSample
from streams.stats.documents import Documents, flat, from_columns
from streams.stats.novelty import LENGTHS, Novelty

DRAWS = 40  # human windows that make a null
PART = 4  # human documents at least, in windows
_SEED = 7
_CELLS = 24
_OF_COVERAGE = ("precision", "recall", "density", "coverage")
_Z = 1.96


class Null(NamedTuple):
    """Median of a statistic over human windows, and half of the width that holds 95 % of them."""

    median: float
    halfwidth: float


class Yardstick:
    """Measures windows of `size` documents against as many human ones; `nulls` is empty where there are too few."""

    def __init__(self, human: Documents, size: int) -> None:
        order = np.random.default_rng(_SEED).permutation(len(human.keys))
        mixed = from_columns({name: column[order] for name, column in human._asdict().items()})
        against, others = mixed.part(0, size), mixed.part(size, len(mixed.keys))
        vectors = against.vectors.astype(np.float64)
        self._against = against.words
        self._words = divergence.binned(against.flat())
        self._features = discrepancy.fit(vectors, seed=_SEED)
        self._balls = coverage.fit(vectors)
        self._gaussian = spectrum.fit(vectors)
        self._cells = cells.fit(mixed.vectors.astype(np.float64), _CELLS, _SEED)
        self.nulls = self._draw(others, size) if len(human.keys) >= PART * size else {}

    def values(self, window: Documents) -> dict[str, float]:
        """Return every statistic of a window of documents by name."""
        vectors, divergent = window.vectors.astype(np.float64), divergence.Divergence(self._words)
        divergent.update(window.flat())
        balls, occupied = coverage.Coverage(self._balls), cells.Cells(self._cells)
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

    def _draw(self, others: Documents, size: int) -> Mapping[str, Null]:
        rng = np.random.default_rng(_SEED)
        drawn = []
        for _ in range(DRAWS):
            places = np.sort(rng.permutation(len(others.keys))[:size])
            drawn.append(self.values(from_columns({key: col[places] for key, col in others._asdict().items()})))
        share = size / len(others.keys)
        nulls = {name: _null(np.array([values[name] for values in drawn]), share) for name in drawn[0]}
        return {name: null for name, null in nulls.items() if np.isfinite(null).all()}


def human_documents(artefact: Artefact, samples: list[Sample], memory: int) -> Documents:
    """Return human samples as documents of a stream of their own, in the order of their ids, which is a random one.

    The first `memory` of them fill the memory of novelty; their own is not a number.
    """
    documents = artefact.documents(sorted(samples, key=lambda sample: sample.sample_id))
    novelty = Novelty(memory)
    documents.scores[:, : len(LENGTHS)] = novelty.score(documents.flat())
    documents.scores[:memory, : len(LENGTHS)] = np.nan
    return documents


def _null(values: np.ndarray[tuple[int], np.dtype[np.float64]], share: float) -> Null:
    """Return the null of windows that have a share of the documents each.

    The width is by the deviation, for quantiles of forty draws are too rough. Windows of few documents share many, so
    they vary less than new ones do from all of these: in variance by (1 - share) to (1 + share), exact for means.
    """
    wider = ((1 + share) / (1 - share)) ** 0.5
    return Null(float(np.median(values)), float(_Z * wider * values.std(ddof=1)))
