"""Where accepted samples of one source lie: finds the place in `verify` of its last thousands by their keys."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.monitor.cell import Cell

_MOST = 8_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """The last accepted documents: `keys` (n,) uint64, and `places` (n, 2), partition and first offset of the range."""

    keys: NDArray[np.uint64]
    places: NDArray[np.int64]

    def take(self, cell: Cell) -> "Trace":
        """Take a cell of `verify` in."""
        keys = np.concatenate((self.keys, cell.documents.keys))[-_MOST:]
        place = np.tile(np.array([[cell.partition, cell.start]]), (len(cell.documents.keys), 1))
        return Trace(keys=keys, places=np.concatenate((self.places, place))[-_MOST:])

    def first_offsets(self, suspects: NDArray[np.uint64], beyond: Mapping[int, int]) -> dict[int, int]:
        """Return for each partition of `beyond` an offset at or before the first suspect that was accepted there.

        `beyond` says up to where each partition is known here: what was not seen yet can only come after that.
        """
        found = self.places[np.isin(self.keys, suspects)]
        return {number: int(min([end, *found[found[:, 0] == number, 1].tolist()])) for number, end in beyond.items()}


def fresh() -> Trace:
    """Return the trace of nothing."""
    return Trace(keys=np.empty(0, np.uint64), places=np.empty((0, 2), np.int64))
