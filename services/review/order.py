"""The order in which people get what waits: the kinds take turns, and in each what expires first comes first.

Every fourth turn is the random audit's, for it measures the checks and must not starve behind what they flag.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator

from streams.events import ReviewReason

_TURNS: tuple[ReviewReason, ...] = ("audit", "flagged", "rare", "flagged")
_KINDS: tuple[ReviewReason, ...] = ("flagged", "rare", "audit", "unknown")
_NEVER = 1 << 63


class Order:
    """What waits, in a line for each kind."""

    def __init__(self) -> None:
        self._lines: dict[ReviewReason, list[tuple[int, str]]] = {kind: [] for kind in _KINDS}

    def add(self, kind: ReviewReason, expires_at: int | None, sample_id: str) -> None:
        """Put one in its place."""
        insort(self._lines[kind], _place(expires_at, sample_id))

    def drop(self, kind: ReviewReason, expires_at: int | None, sample_id: str) -> None:
        """Take one out."""
        line = self._lines[kind]
        del line[bisect_left(line, _place(expires_at, sample_id))]

    def at(self, turn: int) -> Iterator[str]:
        """Yield the ids for one turn: first those of its kind, then the others."""
        first = _TURNS[turn % len(_TURNS)]
        for kind in (first, *(kind for kind in _KINDS if kind != first)):
            for _, sample_id in self._lines[kind]:
                yield sample_id

    def soonest(self) -> int | None:
        """Return when the first expires."""
        soonest = min((line[0][0] for line in self._lines.values() if line), default=_NEVER)
        return None if soonest == _NEVER else soonest


def _place(expires_at: int | None, sample_id: str) -> tuple[int, str]:
    return (_NEVER if expires_at is None else expires_at, sample_id)
