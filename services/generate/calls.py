"""The fate of every call of the plan, one byte a call: what the quota and the backpressure count."""

from enum import IntFlag
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Seen(IntFlag):
    """What the log has shown of a call; each is seen any number of times and in any order."""

    ASKED = 1
    REFUSED = 2
    MADE = 4
    REVIEW = 8
    LOST = 16
    ACCEPTED = 32


class Counts(NamedTuple):
    """How many calls are where; each call that was ever asked is in one place."""

    asked: int
    unverified: int
    review: int
    accepted: int
    lost: int

    @property
    def live(self) -> int:
        """Calls that are accepted or may still be: waiting for review counts."""
        return self.asked + self.unverified + self.review + self.accepted

    @property
    def used(self) -> int:
        """All calls."""
        return self.live + self.lost


_PLACES = len(Counts._fields)
_ASKED, _UNVERIFIED, _REVIEW, _ACCEPTED, _LOST, _NOWHERE = range(_PLACES + 1)


class Calls:
    """All calls that the log knows, of this slot and of others."""

    def __init__(self, slot: int, slots: int) -> None:
        self._slot, self._slots = slot, slots
        self._seen = bytearray()
        self._own, self._all = [0] * (_PLACES + 1), [0] * (_PLACES + 1)
        self._next = slot

    def owns(self, call_index: int) -> bool:
        """Tell whether the call is one of this slot."""
        return call_index % self._slots == self._slot

    def mark(self, call_index: int, seen: Seen) -> None:
        """Note what was seen of a call; ASKED takes REFUSED back."""
        if call_index >= len(self._seen):
            self._seen.extend(bytes(call_index + 1 - len(self._seen)))
        before = self._seen[call_index]
        after = before & ~Seen.REFUSED | seen if seen == Seen.ASKED else before | seen
        self._seen[call_index] = after
        for counts in (self._own, self._all) if self.owns(call_index) else (self._all,):
            counts[_PLACE[before]] -= 1
            counts[_PLACE[after]] += 1

    def seen(self, call_index: int, what: Seen) -> bool:
        """Tell whether any of `what` was seen of a call."""
        return call_index < len(self._seen) and bool(self._seen[call_index] & what)

    def undecided(self, calls: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell of each call whether it has candidates that are neither accepted nor lost."""
        seen = np.zeros(int(calls.max(initial=-1)) + 1, np.uint8)
        known = np.frombuffer(bytes(self._seen), np.uint8)[: len(seen)]
        seen[: len(known)] = known
        return np.isin(np.frombuffer(_PLACE, np.uint8)[seen[calls]], (_UNVERIFIED, _REVIEW))

    def without(self, lost: NDArray[np.int64]) -> tuple[Counts, Counts]:
        """Return the counts of this slot and of all if these accepted calls were lost; each is given once."""
        mine = int((lost % self._slots == self._slot).sum())
        return _without(self.own, mine), _without(self.all, len(lost))

    def by_stratum(self, strata: NDArray[np.int16], count: int, lost: NDArray[np.int64]) -> list[tuple[Counts, Counts]]:
        """Return the counts of this slot and of all in each of `count` strata, as if these accepted calls were lost.

        `strata` has the number of each call's stratum, -1 for none.
        """
        places = np.frombuffer(_PLACE, np.uint8)[np.frombuffer(bytes(self._seen), np.uint8)].astype(np.int64)
        places[lost] = _LOST
        known = min(len(places), len(strata))
        calls = np.flatnonzero(strata[:known] >= 0)
        cells = strata[calls].astype(np.int64) * (_PLACES + 1) + places[calls]
        mine = calls % self._slots == self._slot
        own, everyone = (np.bincount(some, minlength=count * (_PLACES + 1)) for some in (cells[mine], cells))
        return list(zip(_counted(own), _counted(everyone), strict=True))

    def fresh(self, count: int) -> list[int]:
        """Return the first `count` calls of this slot of which nothing was seen."""
        while self._next < len(self._seen) and self._seen[self._next]:
            self._next += self._slots
        found: list[int] = []
        call_index = self._next
        while len(found) < count:
            if call_index >= len(self._seen) or not self._seen[call_index]:
                found.append(call_index)
            call_index += self._slots
        return found

    @property
    def own(self) -> Counts:
        """Counts of this slot."""
        return Counts(*self._own[:_PLACES])

    @property
    def all(self) -> Counts:
        """Counts of all slots."""
        return Counts(*self._all[:_PLACES])


def _place(seen: int) -> int:
    ranked = (
        (Seen.ACCEPTED, _ACCEPTED),
        (Seen.LOST, _LOST),
        (Seen.REVIEW, _REVIEW),
        (Seen.MADE, _UNVERIFIED),
        (Seen.REFUSED, _LOST),
        (Seen.ASKED, _ASKED),
    )
    return next((place for flag, place in ranked if seen & flag), _NOWHERE)


_PLACE = bytes(_place(seen) for seen in range(64))


def _without(counts: Counts, accepted: int) -> Counts:
    return counts._replace(accepted=counts.accepted - accepted, lost=counts.lost + accepted)


def _counted(cells: NDArray[np.int64]) -> list[Counts]:
    return [Counts(*row[:_PLACES]) for row in cells.reshape(-1, _PLACES + 1).tolist()]
