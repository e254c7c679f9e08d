"""What a window of documents is compared with: human documents on which nothing was fitted, and how those vary.

Nulls are windows of disjoint human documents drawn without replacement, at most a quarter of them each: with
replacement, copies destroy what is seen once. Equal sizes always, for nearly every value depends on the size.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from services.artefact import Artefact
from services.monitor import meanings
from streams.samples import Sample
from streams.stats import cells, coverage, discrepancy, divergence, spectrum
from streams.stats.documents import Documents
from streams.stats.novelty import LENGTHS, Novelty
from streams.stats.overlap import Overlap
from streams.stats.vocabulary import Vocabulary

DRAWS = 40  # human windows that make a null
PART = 4  # human documents at least, in windows
_SEED = 7
_CELLS = 24
_OF_VOCABULARY = ("types", "hapax", "good_turing", "distinct_2", "distinct_3")
_OF_COVERAGE = ("precision", "recall", "density", "coverage")
_Z = 1.96


class Null(NamedTuple):
    """Median of a statistic over human windows, and half of the width that holds 95 % of them."""

    median: float
    halfwidth: float


class Yardstick:
    """Measures windows of `size` documents against as many human ones; `nulls` is empty where there are too few.

    `sampled` documents of a window have a sentence vector, which adds what `meanings` measures.
    """

    def __init__(self, human: Documents, size: int, sampled: int = 0) -> None:
        mixed = human.chosen(np.random.default_rng(_SEED).permutation(len(human.keys)))
        against, others = mixed.part(0, size), mixed.part(size, len(mixed.keys))
        vectors = against.vectors.astype(np.float64)
        self._words = divergence.binned(against.flat())
        self._features = discrepancy.fit(vectors, seed=_SEED)
        self._balls = coverage.fit(vectors)
        self._gaussian = spectrum.fit(vectors)
        self._cells = cells.fit(mixed.vectors.astype(np.float64), _CELLS, _SEED)
        self._meanings = meanings.fit(mixed, sampled, _SEED)
        self.nulls: dict[str, Null] = {}
        if len(human.keys) >= PART * size:
            self.nulls |= _drawn(self._of_all, others, size)
            if self._meanings is not None:
                self.nulls |= _drawn(self._meanings.values, self._meanings.others, sampled)

    def values(self, window: Documents) -> dict[str, float]:
        """Return every statistic of a window of documents by name."""
        return self._of_all(window) | (self._meanings.values(window) if self._meanings is not None else {})

    def _of_all(self, window: Documents) -> dict[str, float]:
        words, vectors = window.flat(), window.vectors.astype(np.float64)
        vocabulary, overlap, divergent = Vocabulary(), Overlap(), divergence.Divergence(self._words)
        for each in (vocabulary, overlap, divergent):
            each.update(words)
        balls, occupied = coverage.Coverage(self._balls), cells.Cells(self._cells)
        distant, spread = discrepancy.Discrepancy(self._features), spectrum.Spectrum(self._gaussian)
        balls.update(coverage.Keyed(window.keys, vectors))
        for one in (occupied, distant, spread):
            one.update(vectors)
        counted, covered, hit, spectral = vocabulary.get(), balls.get(), occupied.get(), spread.get()
        return {
            **{name: counted[name] for name in _OF_VOCABULARY},
            **_of_scores(window),
            "jsd": divergent.get()["jsd"],
            "mmd2": distant.get()["mmd2"],
            **{name: covered[name] for name in _OF_COVERAGE},
            "frechet": spectral["frechet"],
            "vendi": spectral["vendi"],
            "near_duplicates": overlap.near_duplicates(),
            "cells_hit": hit["hit"],
            "cells_unreached": hit["unreached"],
        }


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


def _of_scores(window: Documents) -> dict[str, float]:
    known = np.isfinite(window.scores)
    totals = np.where(known, window.scores, 0.0).sum(axis=0, dtype=np.float64)
    means = np.divide(totals, known.sum(axis=0), out=np.full_like(totals, np.nan), where=known.any(axis=0))
    novel = {f"novel_{n}": float(means[place]) for place, n in enumerate(LENGTHS)}
    spread = float(window.scores[:, -1].std(dtype=np.float64))
    return {**novel, "surprisal": float(means[-1]), "surprisal_sd": spread}


def _drawn(values: Callable[[Documents], Mapping[str, float]], others: Documents, size: int) -> dict[str, Null]:
    """Return the nulls of windows of `size` others."""
    rng = np.random.default_rng(_SEED)
    drawn = []
    for _ in range(DRAWS):
        places = np.sort(rng.permutation(len(others.keys))[:size])
        drawn.append(values(others.chosen(places)))
    share = size / len(others.keys)
    nulls = {name: _null(np.array([each[name] for each in drawn]), share) for name in drawn[0]}
    return {name: null for name, null in nulls.items() if np.isfinite(null).all()}


def _null(values: np.ndarray[tuple[int], np.dtype[np.float64]], share: float) -> Null:
    """Return the null of windows that have a share of the documents each.

    The width is by the deviation, for quantiles of forty draws are too rough. Windows of few documents share many, so
    they vary less than new ones do from all of these: in variance by (1 - share) to (1 + share), exact for means.
    """
    wider = ((1 + share) / (1 - share)) ** 0.5
    return Null(float(np.median(values)), float(_Z * wider * values.std(ddof=1)))
