"""Sets of 16-byte ids, some 40 bytes each: who has a fate, which texts are known.

Membership is exact: a candidate taken for one that has a fate would be lost.
"""

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from services.index.column import Column
from services.index.table import Rows, Table

IdArray = NDArray[np.uint64]
_ID_BYTES = 16
_MOST = 1 << 20  # ids whose first 32 bits agree are all kept: the set is exact


def pack(ids: Sequence[bytes]) -> IdArray:
    """Return ids, as they stand in a record's key, as an array of two numbers each."""
    return np.frombuffer(b"".join(map(_binary, ids)), np.uint64).reshape(-1, 2)


def unpack(one: IdArray) -> str:
    """Return one row of an array as 32 hex digits."""
    return one.tobytes().hex()


class Ids:
    """Distinct ids in the order of their arrival."""

    def __init__(self) -> None:
        self._ids = Column(np.empty((0, 2), np.uint64))
        self._table = Table(_MOST)

    def __len__(self) -> int:
        return len(self._ids)

    def __getitem__(self, row: int) -> str:
        return unpack(self._ids.values[row])

    def rows(self, ids: IdArray) -> Rows:
        """Return the row of each id, -1 where it is not here."""
        found = np.full(len(ids), -1, np.int64)
        places, rows = self._table.find(_keys(ids))
        same = (self._ids.values[rows] == ids[places]).all(axis=1)
        found[places[same]] = rows[same]
        return found

    def fresh(self, ids: IdArray) -> Rows:
        """Return the places, rising, of the ids that are neither here nor earlier in the array."""
        _, first = np.unique(ids, axis=0, return_index=True)
        first.sort()
        return first[self.rows(ids[first]) < 0]

    def add(self, ids: IdArray) -> Rows:
        """Add what is not here yet and return its places in the array."""
        new = self.fresh(ids)
        rows = np.arange(len(self), len(self) + len(new))
        self._table.add(_keys(ids[new]), rows)
        self._ids.extend(ids[new])
        return new


def _keys(ids: IdArray) -> NDArray[np.uint32]:
    return ids[:, 0].astype(np.uint32)


def _binary(key: bytes) -> bytes:
    if len(key) == 2 * _ID_BYTES:
        try:
            return bytes.fromhex(key.decode())
        except ValueError:
            pass
    return blake2b(key, digest_size=_ID_BYTES).digest()
