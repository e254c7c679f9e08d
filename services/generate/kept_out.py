"""Accepted samples that no batch will have for now, since a policy holds or drops them: they wait for nobody.

Else a source that was put out would fill up what may be in flight, and stop all others.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence

from streams.parts import SourceRange


class KeptOut:
    """Knows where the accepted samples of each source lie, and of which calls they are: 16 bytes a sample."""

    def __init__(self) -> None:
        self._offsets: dict[tuple[str, int], array[int]] = {}
        self._calls: dict[tuple[str, int], array[int]] = {}

    def add(self, source: str, partition: int, offset: int, call: int | None) -> None:
        """Take an accepted sample in; those of a partition come in order."""
        self._offsets.setdefault((source, partition), array("q")).append(offset)
        self._calls.setdefault((source, partition), array("q")).append(-1 if call is None else call)

    def count(self, ranges: Sequence[SourceRange]) -> int:
        """Return how many accepted samples lie in the ranges; one that lies in several counts once."""
        return sum(end - start for _, start, end in self._within(ranges))

    def calls(self, ranges: Sequence[SourceRange]) -> list[int]:
        """Return the calls of the accepted samples in the ranges."""
        return [call for key, start, end in self._within(ranges) for call in self._calls[key][start:end]]

    def _within(self, ranges: Sequence[SourceRange]) -> Iterator[tuple[tuple[str, int], int, int]]:
        """Yield source and partition, and from and to which of their samples the ranges reach."""
        for (source, partition), offsets in self._offsets.items():
            mine = [each for each in ranges if each.source == source and each.partition in (-1, partition)]
            for start, end in _merged(mine):
                yield (source, partition), bisect_left(offsets, start), bisect_left(offsets, end)


def _merged(ranges: Sequence[SourceRange]) -> Iterator[tuple[int, int]]:
    """Yield disjoint ranges that cover the same offsets."""
    reached = -1
    for each in sorted(ranges, key=lambda one: one.from_offset):
        if each.to_offset > reached:
            yield max(each.from_offset, reached), each.to_offset
            reached = each.to_offset
