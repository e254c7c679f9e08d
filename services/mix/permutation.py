"""The order of the real samples in one epoch: a keyed permutation that needs no memory and survives restarts.

A Feistel network over the next power of four, walked until it falls into the range (Black and Rogaway 2002,
"Ciphers with arbitrary finite domains").
"""

from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

_ROUNDS = 4
_Words = NDArray[np.uint64]
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


def permuted(key: str, size: int, first: int, count: int) -> list[int]:
    """Return the places `first` to `first + count - 1` of the permutation of range(size) that `key` names."""
    half = np.uint64(max(1, (max(size - 1, 1).bit_length() + 1) // 2))
    keys = _round_keys(key)
    values = np.arange(first, first + count, dtype=np.uint64)
    values = _feistel(values, half, keys)
    while (outside := values >= size).any():
        values[outside] = _feistel(values[outside], half, keys)
    return [int(value) for value in values]


def _round_keys(key: str) -> list[np.uint64]:
    data = blake2b(key.encode(), digest_size=8 * _ROUNDS).digest()
    return [np.uint64(int.from_bytes(data[8 * i : 8 * i + 8], "little")) for i in range(_ROUNDS)]


def _feistel(values: _Words, half: np.uint64, keys: list[np.uint64]) -> _Words:
    mask = (np.uint64(1) << half) - np.uint64(1)
    left, right = values >> half, values & mask
    for key in keys:
        left, right = right, left ^ (_mixed(right, key) & mask)
    return (left << half) | right


def _mixed(words: _Words, key: np.uint64) -> _Words:
    """One round of a multiply-xorshift hash (Steele et al. 2014, splitmix64)."""
    words = (words ^ key) * _MULTIPLIER
    words ^= words >> np.uint64(29)
    words *= np.uint64(0xBF58476D1CE4E5B9)
    words ^= words >> np.uint64(32)
    return words
