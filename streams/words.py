"""Texts as words, words as numbers, and runs of words as numbers: what checks compare and statistics count.

All of a batch lies in one flat array, because numpy is fast on one long array and slow on a thousand short ones.
"""

import re
from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from rensa import RMinHash

from streams.samples import Sample

Hashes = NDArray[np.uint64]
Starts = NDArray[np.int64]

GRAM = 8  # words of a run that two texts share only if one has it from the other

_EAST_ASIAN = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_WORD = re.compile(rf"[{_EAST_ASIAN}]|[^\W{_EAST_ASIAN}]+")  # scripts without spaces: each character is a word
_SPACED = bytes(c if chr(c).isalnum() or chr(c) == "_" else ord(" ") for c in range(256))
_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_HALF = np.uint64(32)


class Flat(NamedTuple):
    """Numbers of a batch of texts; those of text i lie at starts[i]:starts[i + 1]."""

    hashes: Hashes
    starts: Starts


def text_of(sample: Sample) -> str:
    """Return what is compared: system turns are left out, for many samples share them."""
    turns = [turn.text for turn in sample.turns if turn.role != "system"]
    return "\n".join(turns or [turn.text for turn in sample.turns])


def words(text: str) -> list[str]:
    """Return the words in lower case, without punctuation."""
    if text.isascii():
        return text.lower().encode().translate(_SPACED).decode().split()
    return _WORD.findall(text.lower())


def hashed(texts: Sequence[Sequence[str]]) -> Flat:
    """Return the hash of each word; the same in every process."""
    flat = RMinHash.hash_token_sets([list(chain.from_iterable(texts))])[0]
    return Flat(np.array(flat, np.uint64), starts_of(np.array([len(text) for text in texts], np.int64)))


def some(flat: Flat, rows: NDArray[np.int64]) -> Flat:
    """Return the numbers of some of the texts."""
    counts = np.diff(flat.starts)[rows]
    starts = starts_of(counts)
    at = np.arange(int(starts[-1])) + np.repeat(flat.starts[rows] - starts[:-1], counts)
    return Flat(flat.hashes[at], starts)


def first(flat: Flat, length: int) -> Flat:
    """Return the first `length` words of each text that has as many; shorter texts become empty ones.

    Lexical statistics need equal numbers of words, not only of texts.
    """
    long = np.diff(flat.starts) >= length
    counts = np.where(long, length, 0)
    at = (flat.starts[:-1][long][:, np.newaxis] + np.arange(length)).ravel()
    return Flat(flat.hashes[at], starts_of(counts))


def runs(flat: Flat, length: int) -> Flat:
    """Return the hash of every run of `length` words; a shorter text is one run, filled up."""
    counts = np.diff(flat.starts)
    filled = np.maximum(counts, length)
    starts, run_starts = starts_of(filled), starts_of(filled - length + 1)
    hashes = np.zeros(int(starts[-1]), np.uint64)
    hashes[np.arange(len(flat.hashes)) + np.repeat(starts[:-1] - flat.starts[:-1], counts)] = flat.hashes
    at = np.arange(int(run_starts[-1])) + np.repeat(starts[:-1] - run_starts[:-1], filled - length + 1)
    out = np.full(len(at), _FACTOR, np.uint64)
    for step in range(length):
        out = (out ^ hashes[at + step]) * _FACTOR
        out ^= out >> _HALF
    return Flat(out, run_starts)


def grams(flat: Flat, length: int) -> Flat:
    """Return the hash of every run of `length` words; a shorter text has none."""
    filled = runs(flat, length)
    long = np.diff(flat.starts) >= length
    counts = np.diff(filled.starts)
    return Flat(filled.hashes[np.repeat(long, counts)], starts_of(np.where(long, counts, 0)))


def starts_of(counts: NDArray[np.int64]) -> Starts:
    """Return where each part of a flat array starts, with the end of the last."""
    return np.concatenate(([0], np.cumsum(counts)))
