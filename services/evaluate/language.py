"""The proxy for text: an interpolated n-gram language model, small enough to train in a second and quick to collapse.

Interpolated after Witten and Bell (1991, IEEE Trans. Inf. Theory 37), method C, down to a uniform choice in a fixed
space of words: so losses of models with different vocabularies can be compared, and a lost word costs what it should.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.words import Flat, Hashes, runs, starts_of

ORDER = 3
SPACE = 1 << 20  # words that there may be; a word is the low bits of its hash
_START = np.uint64(SPACE)  # stands before a document's first word; no word is it

Losses = NDArray[np.float64]


class _Table(NamedTuple):
    """The n-grams of one order and their contexts, by rising hash."""

    grams: Hashes
    counts: NDArray[np.int64]
    contexts: Hashes
    totals: NDArray[np.int64]  # how often each context came
    kinds: NDArray[np.int64]  # how many different words came after it


class LanguageModel:
    """A model of word n-grams up to `order`, trained on word hashes.

    >>> texts = Flat(np.array([5, 6, 5, 7], np.uint64), np.array([0, 4]))
    >>> LanguageModel(texts, order=2).losses(texts).round(2).tolist()
    [0.79]
    """

    def __init__(self, texts: Flat, *, order: int = ORDER) -> None:
        if not len(texts.hashes):
            raise ValueError("A language model needs documents with words; these have none.")
        self._tables = [_table(*pair) for pair in _pairs(texts, order)]

    def losses(self, texts: Flat) -> Losses:
        """Return the mean loss of each document, nats a word; NaN for one without words."""
        chance = np.full(len(texts.hashes), 1 / SPACE)
        for table, (grams, contexts) in zip(self._tables, _pairs(texts, len(self._tables)), strict=True):
            counts = _found(table.grams, table.counts, grams)
            totals = _found(table.contexts, table.totals, contexts)
            kinds = _found(table.contexts, table.kinds, contexts)
            known = totals > 0
            chance[known] = (counts + kinds * chance)[known] / (totals + kinds)[known]
        sizes = np.diff(texts.starts)
        sums = np.bincount(np.repeat(np.arange(len(sizes)), sizes), -np.log(chance), len(sizes))
        mean: Losses = np.divide(sums, sizes, out=np.full(len(sizes), np.nan), where=sizes > 0)
        return mean


def _table(grams: Hashes, contexts: Hashes) -> _Table:
    kinds, first, counts = np.unique(grams, return_index=True, return_counts=True)
    known, place = np.unique(contexts[first], return_inverse=True)
    totals = np.bincount(place, counts).astype(np.int64)
    return _Table(kinds, counts, known, totals, np.bincount(place))


def _pairs(texts: Flat, order: int) -> Sequence[tuple[Hashes, Hashes]]:
    """Return for each order from 1 on the hash of the n-gram that ends at each word, and that of its context."""
    padded, at = _padded(texts, order)
    ending = [np.zeros(len(at), np.uint64)]
    before = [np.zeros(len(at), np.uint64)]
    for length in range(1, order + 1):
        grams = runs(padded, length)
        at_gram = at - (length - 1) - np.repeat(np.arange(len(texts.starts) - 1), np.diff(texts.starts)) * (length - 1)
        ending.append(grams.hashes[at_gram])
        before.append(grams.hashes[at_gram - 1])
    return [(ending[length], before[length - 1]) for length in range(1, order + 1)]


def _padded(texts: Flat, order: int) -> tuple[Flat, NDArray[np.int64]]:
    """Return the texts with `order` starts before each, and where their words lie then."""
    sizes = np.diff(texts.starts)
    starts = starts_of(sizes + order)
    at = np.arange(len(texts.hashes)) + np.repeat(starts[:-1] + order - texts.starts[:-1], sizes)
    hashes = np.full(int(starts[-1]), _START, np.uint64)
    hashes[at] = texts.hashes & np.uint64(SPACE - 1)
    return Flat(hashes, starts), at


def _found(keys: Hashes, values: NDArray[np.int64], wanted: Hashes) -> NDArray[np.int64]:
    """Return the value of each wanted key, 0 for one that is not there."""
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[place] == wanted, values[place], 0)
