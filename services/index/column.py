"""A growing numpy array: appending costs the same on average however long it is."""

from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T", bound=np.generic)

_GROWTH = 1.25


class Column(Generic[T]):
    """Rows of one type; at most a fifth of the memory is spare."""

    def __init__(self, empty: NDArray[T]) -> None:
        self._data = empty
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def values(self) -> NDArray[T]:
        """All rows; a view that is good until the next `extend`."""
        return self._data[: self._count]

    def extend(self, rows: NDArray[T]) -> None:
        """Append rows."""
        count = self._count + len(rows)
        if count > len(self._data):
            grown = np.empty((int(count * _GROWTH), *self._data.shape[1:]), self._data.dtype)
            grown[: self._count] = self.values
            self._data = grown
        self._data[self._count : count] = rows
        self._count = count
