"""Word n-gram language models: small, quick, and honest victims, for they collapse when trained on their own output.

Documents are joined by separators into one circle, so every context has a successor; a separator that is drawn
only means that the next document begins.
"""

from __future__ import annotations  # array takes its item type in annotations only

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable
from random import Random
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_Ids = NDArray[np.int64]
_SEPARATOR = 0
_LEVELS = 16


class _Table(NamedTuple):
    """All n-grams of one order, sorted by context: context c has the n-grams start[c] to start[c + 1] - 1."""

    start: array[int]
    word: array[int]
    follow: array[int]  # the context that the n-gram leads to
    share: NDArray[np.float64]  # count as a share of the largest count in the same context


class NgramModel:
    """A model of order 2 to 5; `backoff` is the share of steps that use one word of context less.

    >>> NgramModel(["a b c d"], order=2).document(seed=1, temperature=1.0, words=6, opening="a")
    'a b c d a b'
    """

    def __init__(self, texts: Iterable[str], *, order: int, backoff: float = 0.0) -> None:
        self.order, self._backoff = order, backoff
        self._ids: dict[str, int] = {"": _SEPARATOR}
        circle = self._circle(texts)
        grams = _grams(circle, order)
        self._full = _table(grams[order], grams[order - 1], circle)
        self._short = _table(grams[order - 1], grams[order - 2], circle)
        self._suffix = _suffixes(grams[order - 1], grams[order - 2])
        self._begin = int(grams[order - 1][order - 2])
        self._words = list(self._ids)
        self._sums: dict[float, tuple[array[float], array[float]]] = {}

    def document(self, *, seed: int, temperature: float, words: int, opening: str = "") -> str:
        """Return `words` words that continue the first words of `opening`; the same arguments give the same text."""
        context, made = self._open(opening)
        full, short = self._full, self._short
        full_sums, short_sums = self._sums_at(temperature)
        draw, backoff = Random(seed).random, self._backoff  # noqa: S311 - reproducible, not secret
        while len(made) < words:
            if backoff and draw() < backoff:
                gram = _pick(short.start, short_sums, self._suffix[context], draw)
                word, context = short.word[gram], gram
            else:
                gram = _pick(full.start, full_sums, context, draw)
                word, context = full.word[gram], full.follow[gram]
            if word != _SEPARATOR:
                made.append(self._words[word])
        return " ".join(made)

    def _circle(self, texts: Iterable[str]) -> _Ids:
        ids = self._ids
        circle: list[int] = []
        for text in texts:
            if words := text.split():
                circle += [_SEPARATOR] * (self.order - 1)
                circle += [ids.setdefault(word, len(ids)) for word in words]
        if len(ids) == 1:
            raise ValueError("an n-gram model needs at least one word to learn from")
        return np.array(circle, dtype=np.int64)

    def _open(self, opening: str) -> tuple[int, list[str]]:
        """Walk from the start of a document along the opening, as far as the model knows it."""
        context, made = self._begin, []
        for text in opening.split(maxsplit=self.order - 1)[: self.order - 1]:
            word = self._ids.get(text, _SEPARATOR)
            low, high = self._full.start[context], self._full.start[context + 1]
            gram = bisect_left(self._full.word, word, low, high)
            if word == _SEPARATOR or gram == high or self._full.word[gram] != word:
                break
            context = self._full.follow[gram]
            made.append(text)
        return context, made

    def _sums_at(self, temperature: float) -> tuple[array[float], array[float]]:
        if temperature not in self._sums:
            if len(self._sums) == _LEVELS:
                self._sums.clear()
            self._sums[temperature] = (_sums(self._full, temperature), _sums(self._short, temperature))
        return self._sums[temperature]


def _grams(circle: _Ids, order: int) -> list[_Ids]:
    """Return for each length up to `order` the number of the n-gram that ends at each place, sorted by its words."""
    base = int(circle.max()) + 1
    grams = [np.zeros(len(circle), dtype=np.int64)]
    for _ in range(order):
        grams.append(np.unique(np.roll(grams[-1], 1) * base + circle, return_inverse=True)[1])
    return grams


def _table(grams: _Ids, contexts: _Ids, circle: _Ids) -> _Table:
    _, first, counts = np.unique(grams, return_index=True, return_counts=True)
    context = np.roll(contexts, 1)[first]
    start = np.searchsorted(context, np.arange(contexts.max() + 2))
    largest = np.maximum.reduceat(counts, start[:-1])
    return _Table(_ints(start), _ints(circle[first]), _ints(contexts[first]), counts / largest[context])


def _suffixes(longer: _Ids, shorter: _Ids) -> array[int]:
    """Return for each longer n-gram the shorter one that ends at the same place."""
    return _ints(shorter[np.unique(longer, return_index=True)[1]])


def _sums(table: _Table, temperature: float) -> array[float]:
    """Return the weight before each n-gram; scaled within each context, so that no temperature overflows."""
    weights = np.concatenate([[0.0], table.share ** (1.0 / temperature)])
    return array("d", np.cumsum(weights).tobytes())


def _ints(values: _Ids) -> array[int]:
    return array("i", values.astype(np.int32).tobytes())


def _pick(start: array[int], sums: array[float], context: int, draw: Callable[[], float]) -> int:
    low, high = start[context], start[context + 1]
    if high - low == 1:
        return low
    place = sums[low] + draw() * (sums[high] - sums[low])
    return bisect_right(sums, place, low, high) - 1
