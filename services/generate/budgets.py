"""All budgets of a slot, as a fold over `response`: no call is made whose worst case one of them can't bear.

An attempt counts as the worst that it can cost from when it is asked, and as what its answer cost once there is one.
Without an answer it counts as the worst for ever, for a call that was cut off may have been billed; only what the
vendor refused outright counts nothing. So no budget is exceeded however calls and processes end. Each slot has an equal
part of every budget, for slots see late what the others spend.
"""

from array import array
from collections.abc import Mapping
from typing import NamedTuple

from services.generate.account import Account, Limits, Short
from services.generate.cost import Cost

_LAST_BIT = 63


class _Attempt(NamedTuple):
    source: str
    worst: Cost
    asked_at: int


class Budgets:
    """What the run and each source may still spend; 8 bytes a call are remembered."""

    def __init__(self, run: Limits, sources: Mapping[str, Limits]) -> None:
        self._run = Account(run)
        self._sources = {name: Account(limits) for name, limits in sources.items()}
        self._open: dict[tuple[int, int], _Attempt] = {}
        self._seen = array("Q")  # by call, one bit for each attempt
        self._late: set[tuple[int, int]] = set()  # attempts beyond the bits

    def asked(self, call: int, attempt: int, source: str, worst: Cost, asked_at: int) -> None:
        """Take the record in that stands before an attempt, in any order. Idempotent."""
        if self._is_new(call, attempt):
            self._open[call, attempt] = _Attempt(source, worst, asked_at)
            self._add(source, worst, asked_at)

    def answered(self, call: int, attempt: int, cost: Cost) -> None:
        """Take an answer in, after the record that stands before it. Idempotent."""
        if (open_ := self._open.pop((call, attempt), None)) is not None:
            self._add(open_.source, open_.worst, open_.asked_at, -1)
            self._add(open_.source, cost, open_.asked_at)

    def refused(self, call: int, attempt: int) -> None:
        """Note that the vendor refused an attempt, so that it cost nothing. Idempotent."""
        self.answered(call, attempt, Cost(0, 0.0))

    def short(self, source: str, worst: Cost, now: int) -> Short | None:
        """Return which budget one more call of a source would exceed."""
        return self._run.short(worst, now) or (
            self._sources[source].short(worst, now) if source in self._sources else None
        )

    def pace(self, source: str, now: int) -> float:
        """Return which part of its usual calls a source may have in flight, 0 to 1."""
        own = self._sources[source].pace(now) if source in self._sources else 1.0
        return min(own, self._run.pace(now))

    def left(self) -> float:
        """Return the dollars that are left to the run; infinity without a budget."""
        return self._run.left()

    def _add(self, source: str, cost: Cost, asked_at: int, sign: int = 1) -> None:
        self._run.add(cost, asked_at, sign)
        if source in self._sources:
            self._sources[source].add(cost, asked_at, sign)

    def _is_new(self, call: int, attempt: int) -> bool:
        if attempt > _LAST_BIT:
            is_new = (call, attempt) not in self._late
            self._late.add((call, attempt))
            return is_new
        if (missing := call + 1 - len(self._seen)) > 0:
            self._seen.extend([0] * missing)
        bit = 1 << attempt
        is_new = not self._seen[call] & bit
        self._seen[call] |= bit
        return is_new
