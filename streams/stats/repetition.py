"""How much documents repeat: themselves, which compression shows, and one another, which long n-grams show."""

import zlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.stats.statistic import State
from streams.words import Flat, Hashes, grams

_LEVEL = 6
_WITHIN = 4
_BETWEEN = 8
_FACTOR = np.uint64(0x9E3779B97F4A7C15)


class Texts(NamedTuple):
    """The texts of a batch, and the hashes of their words."""

    texts: Sequence[str]
    words: Flat


class Repetition:
    """What repeats in the documents of a window. `update` takes texts with their word hashes.

    Values: `compression`, bytes of a document / its bytes after zlib at level 6, mean of the documents (Shaib et al.
    2024, arXiv 2403.00553, who compress a whole set at once); `repeated_4`, the share of a document's word 4-grams that
    it has had before, mean of the documents (Welleck et al. 2020, arXiv 1908.04319); `self_repetition`, the share of
    documents which have a word 8-gram that another document of the window has too (after Salkar et al. 2022, AACL).
    Documents without text, with fewer than 4 or with fewer than 8 words are left out of the first, second and third.
    Merging is exact and the order is of no account. It keeps 8 bytes for every 8-gram, so it is for windows.

    Pitfalls: compression grows with the length of a document and may move the wrong way in the first generation;
    self-repetition grows with the number of documents. Compare equally many documents of equally many words.

    >>> repetition = Repetition()
    >>> words = Flat(np.array([1, 2, 3, 4, 5, 1, 6, 7, 8, *[1] * 9], np.uint64), np.array([0, 9, 18]))
    >>> repetition.update(Texts(["So shaken as we are, so wan with care", "so " * 9], words))
    >>> {name: round(value, 1) for name, value in repetition.get().items()}
    {'compression': 1.5, 'repeated_4': 0.4, 'self_repetition': 0.0}
    """

    def __init__(self) -> None:
        self.counts = np.zeros(2, np.int64)  # documents with text, and those with 4-grams
        self.sums = np.zeros(2)  # of their compression ratios, and of their shares of repeats
        self.grams = [np.empty(0, np.uint64)]
        self.sizes = [np.empty(0, np.int64)]  # how many of the grams each document has

    def update(self, batch: Texts) -> None:
        """Take in documents."""
        ratios = [compression(text) for text in batch.texts if text]
        repeats = _repeats(batch.words)
        self.counts = self.counts + np.array((len(ratios), len(repeats)))
        self.sums = self.sums + np.array((sum(ratios), repeats.sum()))
        found = grams(batch.words, _BETWEEN)
        sizes = np.diff(found.starts)
        self.grams = [*self.grams, found.hashes]
        self.sizes = [*self.sizes, sizes[sizes > 0]]

    def merge(self, other: "Repetition") -> None:
        """Take in the documents of another."""
        self.counts = self.counts + other.counts
        self.sums = self.sums + other.sums
        self.grams = self.grams + other.grams
        self.sizes = self.sizes + other.sizes

    def get(self) -> Mapping[str, float]:
        """Return the values; NaN where no document counts."""
        compression, repeated = np.divide(self.sums, self.counts, out=np.full(2, np.nan), where=self.counts > 0)
        shared = _shares_a_gram(np.concatenate(self.grams), np.concatenate(self.sizes))
        return {
            "compression": float(compression),
            "repeated_4": float(repeated),
            "self_repetition": float(shared.mean()) if len(shared) else np.nan,
        }

    def state(self) -> State:
        """Return the counts, the sums, and the 8-grams document by document."""
        grams, sizes = np.concatenate(self.grams), np.concatenate(self.sizes)
        return {"counts": self.counts, "sums": self.sums, "grams": grams, "sizes": sizes}

    def restore(self, state: State) -> None:
        """Become what returned the state."""
        self.counts, self.sums = state["counts"], state["sums"]
        self.grams, self.sizes = [state["grams"]], [state["sizes"]]


def compression(text: str) -> float:
    """Return the bytes of a text / its bytes after zlib."""
    raw = text.encode(errors="surrogatepass")
    return len(raw) / len(zlib.compress(raw, _LEVEL))


def _repeats(words: Flat) -> NDArray[np.float64]:
    """Return the share of repeats in each text that has n-grams."""
    found = grams(words, _WITHIN)
    sizes = np.diff(found.starts)
    owners = np.repeat(np.arange(len(sizes)), sizes)
    _, places = np.unique(found.hashes ^ (owners.astype(np.uint64) * _FACTOR), return_index=True)
    distinct = np.bincount(owners[places], minlength=len(sizes))
    long = sizes > 0
    return 1 - distinct[long] / sizes[long]


def _shares_a_gram(found: Hashes, sizes: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which documents have an n-gram that another has."""
    shared = np.zeros(len(sizes), np.bool_)
    if len(found):
        order = np.argsort(found, kind="stable")  # so that owners rise within a gram
        found, owners = found[order], np.repeat(np.arange(len(sizes)), sizes)[order]
        starts = np.flatnonzero(np.concatenate(([True], found[1:] != found[:-1])))
        ends = np.append(starts[1:], len(found))
        several = owners[starts] != owners[ends - 1]
        shared[owners[np.repeat(several, ends - starts)]] = True
    return shared
