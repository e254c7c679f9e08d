"""A first-in first-out line of what waits in a partition: 20 bytes a sample, for lines of a million."""

from array import array
from collections.abc import Iterable, Iterator
from typing import NamedTuple

_COMPACT = 4_096


class Place(NamedTuple):
    """One that waits; `planned` is the version of the policy under which its call was planned."""

    offset: int
    timestamp: int
    planned: int


class Line:
    """Places in the order of their offsets; `line[0]` is the first that waits."""

    def __init__(self) -> None:
        self._offsets, self._timestamps, self._planned = array("q"), array("q"), array("i")
        self._head = 0

    def __len__(self) -> int:
        return len(self._offsets) - self._head

    def __getitem__(self, place: int) -> Place:
        at = self._head + place if place >= 0 else place
        return Place(self._offsets[at], self._timestamps[at], self._planned[at])

    def __iter__(self) -> Iterator[Place]:
        return (self[place] for place in range(len(self)))

    def append(self, place: Place) -> None:
        """Put one at the end."""
        self._offsets.append(place.offset)
        self._timestamps.append(place.timestamp)
        self._planned.append(place.planned)

    def drop(self, count: int) -> None:
        """Take the first ones out."""
        self._head += count
        if self._head >= _COMPACT and self._head * 2 >= len(self._offsets):
            del self._offsets[: self._head], self._timestamps[: self._head], self._planned[: self._head]
            self._head = 0


def line_of(places: Iterable[Place]) -> Line:
    """Return a line of places, which must be in order."""
    line = Line()
    for place in places:
        line.append(place)
    return line
