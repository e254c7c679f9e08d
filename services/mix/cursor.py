"""How far one source's accepted samples are drawn in one partition of `verify`: a few numbers, whatever was held.

Undrawn are all offsets from `next_offset` on and all inside the holes below it; a hole is left where samples were held.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from streams.parts import DrawCursor, OffsetRange


@dataclass(frozen=True, slots=True)
class Cursor:
    """`holes` are disjoint ranges (from, to) below `next_offset`, in order."""

    next_offset: int = 0
    holes: tuple[tuple[int, int], ...] = ()

    def is_drawn(self, offset: int) -> bool:
        """Tell whether the sample at `offset` was drawn."""
        return offset < self.next_offset and not any(start <= offset < end for start, end in self.holes)

    def draw(self, offset: int) -> "Cursor":
        """Return the cursor after drawing the sample at `offset`; what was passed over becomes a hole."""
        if offset >= self.next_offset:
            return Cursor(offset + 1, (*self.holes, (self.next_offset, offset)))
        return Cursor(self.next_offset, tuple(piece for hole in self.holes for piece in _without(hole, offset)))

    def pruned(self, undrawn: Sequence[int]) -> "Cursor":
        """Drop the holes that hold none of the `undrawn` offsets (of this source and partition)."""
        kept = tuple(h for h in self.holes if any(h[0] <= offset < h[1] for offset in undrawn))
        return self if len(kept) == len(self.holes) else Cursor(self.next_offset, kept)

    def to_part(self, source: str, partition: int) -> DrawCursor:
        """Return it as a part of the event."""
        skipped = tuple(OffsetRange(from_offset=start, to_offset=end) for start, end in self.holes)
        return DrawCursor(source=source, partition=partition, next_offset=self.next_offset, skipped=skipped)


def from_part(part: DrawCursor) -> Cursor:
    """Return the cursor that an event carries."""
    return Cursor(part.next_offset, tuple((hole.from_offset, hole.to_offset) for hole in part.skipped))


def _without(hole: tuple[int, int], offset: int) -> list[tuple[int, int]]:
    start, end = hole
    if not start <= offset < end:
        return [hole]
    return [piece for piece in ((start, offset), (offset + 1, end)) if piece[0] < piece[1]]
