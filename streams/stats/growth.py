"""How the vocabulary of a corpus grows with its words, and how much of it was seen but once, in bounded memory.

A sketch of counts such as Count-Min can't tell what was seen once; exact counts of a sample of the word types can.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from streams.stats.counts import Counts, Keys
from streams.stats.statistic import State
from streams.words import Flat

CAPACITY = 16_384  # types
_WAITING = 65_536  # words between two looks at the size of the table
_FEWEST_WORDS = 1_000
_SIZES = 16
_SPAN = 100

Floats = NDArray[np.float64]


class Growth:
    """Exact counts of the word types whose hash lies below a share tau of all hashes. `update` takes word hashes.

    tau starts at 1 and is halved when more than `capacity` types lie below it. Which types are kept depends on the set
    of types alone: merging is exact (the smaller tau holds for both) and order does not matter.

    Values: `words` (N, exact), and unbiased estimates of `types` (V), `once`, `twice` (f1, f2: types seen so often),
    with `hapax` (f1 / V), `good_turing` (mass of unseen words: f1 / N; Good 1953, Biometrika 40), `heaps` (beta of
    V = K N^beta; Heaps 1978, Information Retrieval) and `error` (relative standard deviation of f1 by sampling:
    sqrt((1 - tau) / (tau f1)); 0 while nothing had to be left out).

    Checkpoints of V(N) along a stream depend on its order and can't be merged, so beta is the slope (least squares, 16
    log-spaced n from N / 100 to N) of log V(n) on log n for the rarefaction curve: the expected number of types if each
    word is kept with chance n / N (Coleman 1981, Math. Biosci. 54), the limit for large N of drawing n without
    replacement (Hurlbert 1971, Ecology 52; Heck et al. 1975, Ecology 56). Pitfalls: all values change with N, beta too,
    so compare at equal N, or by `curve`; and real text is bursty, so that read in its order it has fewer types at n
    than the curve says.

    >>> growth = Growth()
    >>> growth.update(Flat(np.arange(2_000, dtype=np.uint64) % 1_500, np.array([0, 2_000])))
    >>> {name: round(value, 3) for name, value in growth.get().items() if name in ("types", "hapax", "heaps")}
    {'types': 1500.0, 'hapax': 0.667, 'heaps': 0.952}
    >>> growth.curve(np.array([1_000.0])).round().tolist()
    [875.0]
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._words = 0
        self._halvings = 0  # tau = 2 ** -halvings
        self._sampled = Counts()
        self._looked_at = 0  # words when the size of the table was looked at

    def update(self, batch: Flat) -> None:
        """Count the words of texts."""
        self._words += len(batch.hashes)
        self._sampled.update(self._below(batch.hashes))
        if self._words - self._looked_at > _WAITING:
            self._shrink()

    def merge(self, other: "Growth") -> None:
        """Add what another has counted."""
        self._words += other._words  # noqa: SLF001 - its own kind
        self._halvings = max(self._halvings, other._halvings)  # noqa: SLF001 - its own kind
        self._sampled.merge(other._sampled)  # noqa: SLF001 - its own kind
        self._shrink()

    def get(self) -> Mapping[str, float]:
        """Return the values; NaN for shares of nothing, and for beta of fewer than 1,000 words."""
        self._shrink()
        counts, scale = self._sampled.counts, 2.0**self._halvings
        types, once, twice = len(counts), int((counts == 1).sum()), int((counts == 2).sum())  # noqa: PLR2004 - f2
        return {
            "words": float(self._words),
            "types": types * scale,
            "once": once * scale,
            "twice": twice * scale,
            "hapax": once / types if types else np.nan,
            "good_turing": once * scale / self._words if self._words else np.nan,
            "heaps": self._slope() if types and self._words >= _FEWEST_WORDS else np.nan,
            "error": float(np.sqrt((1 - 1 / scale) / once)) if once else np.nan,
        }

    def curve(self, sizes: Floats) -> Floats:
        """Return the expected number of types among so many of the words; sizes from 1 to all of them."""
        self._shrink()
        counts, types = np.unique(self._sampled.counts, return_counts=True)
        with np.errstate(divide="ignore"):  # all words: no type is missed
            missed = np.exp(counts * np.log1p(-sizes[:, np.newaxis] / self._words))
        found: Floats = np.asarray((1 - missed) @ types, np.float64) * 2.0**self._halvings
        return found

    def state(self) -> State:
        """Return the number of words, how often tau was halved, and the counts."""
        self._shrink()
        numbers = np.array([self._words, self._halvings])
        return {"numbers": numbers, **self._sampled.state()}

    def restore(self, state: State) -> None:
        """Become what returned the state."""
        self._words, self._halvings = map(int, state["numbers"])
        self._sampled.restore(state)
        self._looked_at = self._words

    def _slope(self) -> float:
        sizes = np.geomspace(self._words / _SPAN, self._words, _SIZES)
        return float(np.polyfit(np.log(sizes), np.log(self.curve(sizes)), 1)[0])

    def _below(self, keys: Keys) -> Keys:
        return keys[keys <= np.uint64(0xFFFFFFFFFFFFFFFF >> self._halvings)]

    def _shrink(self) -> None:
        """Halve tau until the table holds what is left; leave out what lies above it."""
        keys, counts = self._sampled.keys, self._sampled.counts
        kept = self._below(keys)
        while len(kept) > self._capacity:
            self._halvings += 1
            kept = self._below(kept)
        if len(kept) < len(keys):
            self._sampled.restore({"keys": kept, "counts": counts[: len(kept)]})  # keys are sorted
        self._looked_at = self._words
