"""The next calls of the plan, in its order for each source, so that a source without room holds up no other."""

from collections import deque
from collections.abc import Callable, Iterator
from typing import NamedTuple


class Draft(NamedTuple):
    """A call of which it is not known yet who answers: its source by the plan, or one of `others` in its place."""

    call_index: int
    source: str
    seed: int  # number in the pool
    others: frozenset[str]
    is_rare: bool = False


class Upcoming:
    """Reads the plan on only as far as a source with room needs."""

    def __init__(self, drafts: Iterator[Draft]) -> None:
        self._drafts = drafts
        self._held: dict[str, deque[Draft]] = {}

    def take(self, answers: Callable[[Draft], str | None]) -> tuple[Draft, str] | None:
        """Return the next call that somebody answers now, and who; None if there is none."""
        for held in self._held.values():
            if held and (found := answers(held[0])) is not None:
                return held.popleft(), found
        for draft in self._drafts:
            if (found := answers(draft)) is not None:
                return draft, found
            self._held.setdefault(draft.source, deque()).append(draft)
        return None
