"""Accepted samples that no batch will have for now, since a policy holds or drops them: they wait for nobody.

Else a source that was put out would fill up what may be in flight, and stop all others.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence

from streams.parts import SourceRange


class KeptOut:
    """Knows where the accepted samples of each source lie: 8 bytes a sample."""

    def __init__(self) -> None:
        self._offsets: dict[tuple[str, int], array[int]] = {}

    def add(self, source: str, partition: int, offset: int) -> None:
        """Take an accepted sample in; those of a partition come in order."""
        self._offsets.setdefault((source, partition), array("q")).append(offset)

    def count(self, ranges: Sequence[SourceRange]) -> int:
        """Return how many accepted samples lie in the ranges; one that lies in several counts once."""
        total = 0
        for (source, partition), offsets in self._offsets.items():
            mine = [each for each in ranges if each.source == source and each.partition in (-1, partition)]
            total += sum(bisect_left(offsets, end) - bisect_left(offsets, start) for start, end in _merged(mine))
        return total


def _merged(ranges: Sequence[SourceRange]) -> Iterator[tuple[int, int]]:
    """Yield disjoint ranges that cover the same offsets."""
    reached = -1
    for each in sorted(ranges, key=lambda one: one.from_offset):
        if each.to_offset > reached:
            yield max(each.from_offset, reached), each.to_offset
            reached = each.to_offset
