"""How rich the words of a window are: types, hapaxes, unseen mass and distinct n-grams, from exact counts.

All of it falls or rises with the number of words by definition, so compare only windows of equally many.
"""

from collections.abc import Mapping

import numpy as np

from streams.stats.counts import Counts
from streams.stats.statistic import State
from streams.words import Flat, grams

_LENGTHS = (1, 2, 3)


class Vocabulary:
    """Counts of word n-grams of a window, n from 1 to 3. `update` takes word hashes; texts without words add nothing.

    Values: `types` (distinct words), `ttr` (types / words), `hapax` (share of types seen once), `good_turing` (mass of
    unseen words: f1 / words; Good 1953, Biometrika 40), `chao1` (lower bound of the number of types, bias-corrected:
    Chao 1984, Scand. J. Stat. 11; Chiu et al. 2014), `distinct_2`, `distinct_3` (distinct n-grams / n-grams; Li et al.
    2016, arXiv 1510.03055).

    >>> vocabulary = Vocabulary()
    >>> vocabulary.update(Flat(np.array([5, 6, 5, 7], np.uint64), np.array([0, 4])))
    >>> {name: round(value, 2) for name, value in vocabulary.get().items()}
    {'types': 3.0, 'ttr': 0.75, 'hapax': 0.67, 'good_turing': 0.5, 'chao1': 3.38, 'distinct_2': 1.0, 'distinct_3': 1.0}
    """

    def __init__(self) -> None:
        self._counts = {length: Counts() for length in _LENGTHS}

    def update(self, batch: Flat) -> None:
        """Count the n-grams of texts."""
        for length, counts in self._counts.items():
            counts.update(grams(batch, length).hashes)

    def merge(self, other: "Vocabulary") -> None:
        """Add what another has counted."""
        for length, counts in self._counts.items():
            counts.merge(other._counts[length])  # noqa: SLF001 - its own kind

    def get(self) -> Mapping[str, float]:
        """Return the values; NaN where nothing was counted."""
        seen = self._counts[1].counts
        words, types = float(seen.sum()), float(len(seen))
        once, twice = float((seen == 1).sum()), float((seen == 2).sum())  # noqa: PLR2004 - Good's f1 and f2
        return {
            "types": types,
            "ttr": _share(types, words),
            "hapax": _share(once, types),
            "good_turing": _share(once, words),
            "chao1": types + (words - 1) / words * once * (once - 1) / (2 * (twice + 1)) if words else np.nan,
            "distinct_2": self._distinct(2),
            "distinct_3": self._distinct(3),
        }

    def state(self) -> State:
        """Return the counts of every length."""
        return {f"{key}_{n}": array for n, counts in self._counts.items() for key, array in counts.state().items()}

    def restore(self, state: State) -> None:
        """Become what returned the state."""
        for length, counts in self._counts.items():
            counts.restore({key: state[f"{key}_{length}"] for key in ("keys", "counts")})

    def _distinct(self, length: int) -> float:
        counts = self._counts[length].counts
        return _share(float(len(counts)), float(counts.sum()))


def _share(part: float, whole: float) -> float:
    return part / whole if whole else np.nan
