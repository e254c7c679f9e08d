"""A few documents as columns: all that any statistic needs of them, some 500 bytes each, without their texts."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.errors import DecodeError
from streams.stats.statistic import pack, unpack
from streams.words import Flat

_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_MEANINGS = "meanings"
WORDS = 64  # of each document, where they are not shorter: lexical statistics need equal numbers of words


class Documents(NamedTuple):
    """Columns of equal length.

    `keys` (n,) uint64 from the sample's id; `words` (n, w) uint32, hashes of the first words; `vectors` (n, d)
    float16, latent; `scores` (n, k) float32, one column a statistic of single documents that is tested for change;
    `traits` (n, t) float32, those that are only shown; `symbols` (n, 64) uint8, syntax; `strata` (n,) uint16;
    `meanings` (n, s) float16, sentence vectors of the sampled documents and zeros for the others, or s = 0.

    >>> two = Documents(np.array([1, 2], np.uint64), np.zeros((2, 64), np.uint32), np.zeros((2, 3), np.float16),
    ...     np.zeros((2, 1), np.float32), np.zeros((2, 1), np.float32), np.zeros((2, 64), np.uint8),
    ...     np.zeros(2, np.uint16), np.zeros((2, 0), np.float16))
    >>> len(join([two, two]).keys), two.flat().starts.tolist()
    (4, [0, 64, 128])
    """

    keys: NDArray[np.uint64]
    words: NDArray[np.uint32]
    vectors: NDArray[np.float16]
    scores: NDArray[np.float32]
    traits: NDArray[np.float32]
    symbols: NDArray[np.uint8]
    strata: NDArray[np.uint16]
    meanings: NDArray[np.float16]

    def flat(self) -> Flat:
        """Return the words as statistics of words take them."""
        return flat(self.words)

    def part(self, start: int, end: int) -> "Documents":
        """Return the documents from `start` to before `end`."""
        return self.at(slice(start, end))

    def columns(self) -> dict[str, NDArray[Any]]:
        """Return what `from_columns` takes: without meanings where there are none."""
        return {name: column for name, column in self._asdict().items() if name != _MEANINGS or column.shape[1]}

    def at(self, places: slice | NDArray[np.integer] | NDArray[np.bool_]) -> "Documents":
        """Return the documents at these places, or where a mask is true."""
        return from_columns({name: column[places] for name, column in self._asdict().items()})

    def to_bytes(self) -> bytes:
        """Return all of it; equal documents give equal bytes."""
        return pack(self.columns())


def flat(words: NDArray[np.uint32]) -> Flat:
    """Return (n, w) words as statistics of words take them."""
    # Spread over 64 bits again: a statistic that samples by hash looks at the upper ones.
    return Flat((words.astype(np.uint64) * _FACTOR).ravel(), np.arange(len(words) + 1) * words.shape[1])


def join(parts: Sequence[Documents]) -> Documents:
    """Return one after the other; there must be at least one."""
    columns = zip(*parts, strict=True)
    return from_columns({name: np.concatenate(each) for name, each in zip(Documents._fields, columns, strict=True)})


def from_bytes(data: bytes) -> Documents:
    """Return the documents; raises DecodeError if they are none."""
    columns = unpack(data)
    if sorted({*columns, _MEANINGS}) != sorted(Documents._fields):
        raise DecodeError(f"These {len(data)} bytes are no documents but {', '.join(columns) or 'nothing'}")
    return from_columns(columns)


def from_columns(columns: Mapping[str, NDArray[Any]]) -> Documents:
    """Return the documents of named columns; meanings may be missing."""
    return Documents(**{_MEANINGS: np.empty((len(columns["keys"]), 0), np.float16), **columns})
