"""The order in which a slot draws the seeds of one stratum: every pass of all slots draws each of them once.

How often the slot has drawn each seed says how far it is, so a restart goes on, and a call that was planned and not
made leaves its seed to the next one. A seed that was drawn before its turn is passed over when that comes.
"""

from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import count

from services.generate.plan import seed_number


class Passes:
    """The turns of one slot in the passes over `seeds`: every so many-th of all."""

    def __init__(self, key: str, seeds: Sequence[int], slot: int, slots: int) -> None:
        self._key, self._seeds, self._slot, self._slots = key, seeds, slot, slots
        self._next = 0  # all turns before are taken
        self._taken = array("I", [0] * len(seeds))  # how many of them each seed had

    def ahead(self, drawn: Sequence[int]) -> Iterator[int]:
        """Yield the next seeds; `drawn` tells of every seed how often this slot drew it, and never becomes less."""
        while self._taken[place := self._place(self._next)] < drawn[self._seeds[place]]:
            self._taken[place] += 1
            self._next += 1
        beyond: Counter[int] = Counter()
        for turn in count(self._next):
            place = self._place(turn)
            if self._taken[place] + beyond[place] >= drawn[self._seeds[place]]:
                yield self._seeds[place]
            beyond[place] += 1

    def _place(self, turn: int) -> int:
        return seed_number(turn * self._slots + self._slot, len(self._seeds), self._key)
