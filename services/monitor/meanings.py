"""How far what a window means is from what humans mean: the sentence vectors of its sampled documents."""

from typing import NamedTuple

import numpy as np

from services import meaning
from streams.stats import coverage, discrepancy
from streams.stats.documents import Documents

_OF_COVERAGE = ("recall", "coverage")


class Meanings(NamedTuple):
    """What is frozen of human sentence vectors; `others` are the human ones on which nothing was fitted."""

    features: discrepancy.Features
    balls: coverage.Reference
    others: Documents

    def values(self, window: Documents) -> dict[str, float]:
        """Return every statistic of the documents that have a sentence vector; there are as many as were fitted on."""
        sampled = _sampled(window)
        vectors = sampled.meanings.astype(np.float64)
        distant, covered = discrepancy.Discrepancy(self.features), coverage.Coverage(self.balls)
        distant.update(vectors)
        covered.update(coverage.Keyed(sampled.keys, vectors))
        found = covered.get()
        return {
            "meaning_mmd2": distant.get()["mmd2"],
            **{f"meaning_{name}": found[name] for name in _OF_COVERAGE},
        }


def fit(human: Documents, size: int, seed: int) -> Meanings | None:
    """Freeze the first `size` human documents that have a sentence vector; None where it is too few, or there are."""
    sampled = _sampled(human)
    if not meaning.LEAST <= size <= len(sampled.keys):
        return None
    vectors = sampled.meanings[:size].astype(np.float64)
    return Meanings(
        features=discrepancy.fit(vectors, seed=seed),
        balls=coverage.fit(vectors),
        others=sampled.part(size, len(sampled.keys)),
    )


def _sampled(of: Documents) -> Documents:
    return of.at(np.flatnonzero(of.meanings.any(axis=1)))
