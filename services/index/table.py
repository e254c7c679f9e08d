"""A hash table in two numpy arrays: 32-bit keys to rows, looked up and filled a batch at a time.

Python's dictionaries take some 100 bytes an entry; this takes 8 bytes a slot and half the slots are in use. Keys of 32
bits meet by chance with probability entries / 2**32 a look-up, so users verify what is found, or can bear it.
"""

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.uint32]
Rows = NDArray[np.int64]

_FIRST_SIZE = 1 << 10
_FULL = 0.6
_GROWTH = 1.6


class Table:
    """Open addressing with linear probing; a key keeps its first `most` rows, so that no look-up is ever long."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._count = 0
        self._allocate(_FIRST_SIZE)

    def find(self, keys: Keys) -> tuple[Rows, Rows]:
        """Return (place in `keys`, row) for everything found, in no order."""
        keys, asked = _nonzero(keys), np.arange(len(keys))
        slots = self._home(keys)
        places, rows = [asked[:0]], [asked[:0]]
        while len(asked):
            tags = self._tags[slots]
            hit = tags == keys
            places.append(asked[hit])
            rows.append(self._rows[slots[hit]].astype(np.int64))
            on = tags != 0
            asked, keys, slots = asked[on], keys[on], (slots[on] + 1) % len(self._tags)
        return np.concatenate(places), np.concatenate(rows)

    def add(self, keys: Keys, rows: Rows) -> None:
        """Enter each row under its key."""
        if self._count + len(keys) > _FULL * len(self._tags):
            used = self._tags != 0
            old = self._tags[used], self._rows[used].astype(np.int64)
            self._allocate(int((self._count + len(keys)) / _FULL * _GROWTH))
            self._count = 0
            self._place(*old)
        self._place(_nonzero(keys), rows)

    def _allocate(self, size: int) -> None:
        self._tags = np.zeros(size, np.uint32)
        self._rows = np.zeros(size, np.uint32)

    def _home(self, keys: Keys) -> Rows:
        scaled = (keys.astype(np.uint64) * np.uint64(len(self._tags))) >> np.uint64(32)
        return scaled.astype(np.int64)

    def _place(self, keys: Keys, rows: Rows) -> None:
        slots, met, mine = self._home(keys), np.zeros(len(keys), np.int64), np.arange(len(keys))
        while len(mine):
            empty = self._tags[slots] == 0
            claimed, claimants = slots[empty], mine[empty]
            self._rows[claimed] = claimants  # several may want one slot: the last to write it has it
            won = self._rows[claimed] == claimants
            claimed, claimants = claimed[won], claimants[won]
            self._tags[claimed], self._rows[claimed] = keys[claimants], rows[claimants]
            self._count += len(claimed)
            placed = np.zeros(len(mine), np.bool_)
            placed[np.flatnonzero(empty)[won]] = True
            met += ~empty & (self._tags[slots] == keys[mine])
            on = ~placed & (met < self._most)
            slots = np.where(empty, slots, (slots + 1) % len(self._tags))[on]
            mine, met = mine[on], met[on]


def _nonzero(keys: Keys) -> Keys:
    """Return the keys with 0, which means an empty slot, made 1."""
    return np.maximum(keys, np.uint32(1))
