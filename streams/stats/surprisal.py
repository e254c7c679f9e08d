"""How surprising documents are to a small language model of reference text: the whole distribution, in bits per word.

Generated text grows more probable and at the same time grows errors that the reference would never make (Shumailov et
al. 2024, Nature 631), so both tails speak, the mean of the two may stand still, and lower is never better.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.stats.moments import mean_and_sd
from streams.stats.statistic import State
from streams.words import Flat, Hashes

_Ids = NDArray[np.int64]
_Floats = NDArray[np.float64]
_MOST = 30.0  # bits per word; what is more counts as so much
_BINS = 240
_QUANTILES = {"q05": 0.05, "q50": 0.5, "q95": 0.95}


class Model(NamedTuple):
    """A bigram model of word hashes. Word ids are places in `words`, then unknown, then the start of a document."""

    words: Hashes  # rising
    single: _Floats  # probability of each word, and last of any unknown one
    pairs: _Ids  # context id * (words + 1) + word id, rising
    follows: _Floats  # what each pair has of its context's probability by its own count
    backoff: _Floats  # what each context leaves to `single`

    def score(self, batch: Flat) -> _Floats:
        """Return the bits per word of each document; NaN for one without words."""
        ids = _ids(self.words, batch.hashes)
        context = _contexts(ids, batch.starts, len(self.words))
        pairs = context * (len(self.words) + 1) + ids
        place, known = _find(self.pairs, pairs)
        follows = np.where(known, self.follows[place], 0.0)
        bits = -np.log2(follows + self.backoff[context] * self.single[ids])
        sizes = np.diff(batch.starts)
        sums = np.bincount(np.repeat(np.arange(len(sizes)), sizes), bits, len(sizes))
        mean: _Floats = np.divide(sums, sizes, out=np.full(len(sizes), np.nan), where=sizes > 0)
        return mean


def fit(texts: Flat) -> Model:
    """Return the bigram model, interpolated after Witten and Bell (1991, IEEE Trans. Inf. Theory 37): method C.

    A context that was seen c times, with t different words after it, leaves t / (c + t) to the words alone; these
    leave as much to a uniform choice among the words and one more that stands for all unknown ones.
    """
    if not len(texts.hashes):
        raise ValueError("A model of surprisal needs documents with words to be fitted on; these have none.")
    words, counts = np.unique(texts.hashes, return_counts=True)
    types = len(words)
    ids = _ids(words, texts.hashes)
    pairs, times = np.unique(_contexts(ids, texts.starts, types) * (types + 1) + ids, return_counts=True)
    context = pairs // (types + 1)
    seen = np.bincount(context, times, types + 2)
    different = np.bincount(context, minlength=types + 2)
    total = seen + different
    backoff = np.divide(different, total, out=np.ones(types + 2), where=total > 0)
    single = (np.append(counts, 0) + types / (types + 1)) / (counts.sum() + types)
    return Model(words, single, pairs, times / total[context], backoff)


class Surprisal:
    """The distribution of bits per word under a model of reference text. `update` takes word hashes.

    Values, in bits per word: `mean`, `sd`, and the quantiles `q05`, `q50`, `q95`, interpolated in bins of 1/8 bit.
    Documents without words are left out. Merging is exact and the order is of no account.

    Pitfalls: lower is never better (shuffled words are surprising, text that loops is not); the model must be fitted
    on text that no generator has seen, or copies look natural; a short document is more variable, so compare documents
    of equally many words.

    >>> model = fit(Flat(np.array([5, 6, 5, 7], np.uint64), np.array([0, 4])))
    >>> surprisal = Surprisal(model)
    >>> surprisal.update(Flat(np.array([5, 6, 5, 7, 9, 9], np.uint64), np.array([0, 3, 4, 6])))
    >>> {name: round(value, 2) for name, value in surprisal.get().items()}
    {'mean': 2.51, 'sd': 1.51, 'q05': 0.77, 'q50': 3.06, 'q95': 3.73}
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self.bins = np.zeros(_BINS, np.int64)
        self.moments = np.zeros(2)  # sum and sum of squares

    def update(self, batch: Flat) -> None:
        """Score documents."""
        bits = self._model.score(batch)
        bits = bits[~np.isnan(bits)]
        places = np.minimum((bits * (_BINS / _MOST)).astype(np.int64), _BINS - 1)
        self.bins = self.bins + np.bincount(places, minlength=_BINS)
        self.moments = self.moments + np.array((bits.sum(), bits @ bits))

    def merge(self, other: "Surprisal") -> None:
        """Add what another has scored."""
        self.bins = self.bins + other.bins
        self.moments = self.moments + other.moments

    def get(self) -> Mapping[str, float]:
        """Return the values; NaN where no document was scored, the sd where fewer than two were."""
        count = int(self.bins.sum())
        mean, sd = mean_and_sd(count, *self.moments)
        below = np.concatenate(([0], np.cumsum(self.bins)))
        edges = np.linspace(0, _MOST, _BINS + 1)
        quantiles = {
            name: float(np.interp(share * count, below, edges)) if count else np.nan
            for name, share in _QUANTILES.items()
        }
        return {"mean": mean, "sd": sd, **quantiles}

    def state(self) -> State:
        """Return the bins and the moments."""
        return {"bins": self.bins, "moments": self.moments}

    def restore(self, state: State) -> None:
        """Become what returned the state."""
        self.bins, self.moments = state["bins"], state["moments"]


def _ids(words: Hashes, hashes: Hashes) -> _Ids:
    place, known = _find(words, hashes)
    return np.where(known, place, len(words))


def _contexts(ids: _Ids, starts: NDArray[np.int64], types: int) -> _Ids:
    """Return the id of the word before each, of the start before a document's first."""
    contexts = np.roll(ids, 1)
    contexts[starts[:-1][np.diff(starts) > 0]] = types + 1
    return contexts


def _find(table: NDArray[Any], keys: NDArray[Any]) -> tuple[_Ids, NDArray[np.bool_]]:
    """Return the place of each key in a rising table, and whether it is there; in order, to save cache misses."""
    order = np.argsort(keys)
    place = np.empty(len(keys), np.int64)
    place[order] = np.minimum(np.searchsorted(table, keys[order]), len(table) - 1)
    return place, table[place] == keys
