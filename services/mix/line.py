"""A first-in first-out line of offsets with their timestamps: 16 bytes a sample, for lines of a million."""

from array import array
from collections.abc import Iterable, Iterator

_COMPACT = 4_096


class Line:
    """Offsets in rising order; `line[place]` is (offset, timestamp), place 0 the first that waits."""

    def __init__(self) -> None:
        self._offsets, self._timestamps = array("q"), array("q")
        self._head = 0

    def __len__(self) -> int:
        return len(self._offsets) - self._head

    def __getitem__(self, place: int) -> tuple[int, int]:
        at = self._head + place if place >= 0 else place
        return self._offsets[at], self._timestamps[at]

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return (self[place] for place in range(len(self)))

    def append(self, offset: int, timestamp: int) -> None:
        """Put one at the end."""
        self._offsets.append(offset)
        self._timestamps.append(timestamp)

    def drop(self, count: int) -> None:
        """Take the first ones out."""
        self._head += count
        if self._head >= _COMPACT and self._head * 2 >= len(self._offsets):
            del self._offsets[: self._head], self._timestamps[: self._head]
            self._head = 0


def line_of(pairs: Iterable[tuple[int, int]]) -> Line:
    """Return a line of (offset, timestamp) pairs, which must be in order."""
    line = Line()
    for offset, timestamp in pairs:
        line.append(offset, timestamp)
    return line
