"""All budgets of a slot, as a fold over `response`: no call is made whose worst case one of them can't bear.

An attempt counts as the worst that it can cost from when it is asked, and as what was billed once that is known.
Without a bill it counts as the worst for ever, for a call that was cut off may have been billed; only what the vendor
refused outright counts nothing. So no budget is exceeded however calls and processes end. Each slot has an equal
part of every budget, for slots see late what the others spend.
"""

from array import array
from collections.abc import Mapping
from typing import NamedTuple

from services.models.account import Account, Limits, Short, limits
from services.models.cost import Cost
from services.recipe import Recipe

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
        self._free: set[tuple[int, int]] = set()  # refused ones whose record has not come yet
        self._unfit: dict[str, Cost] = {}  # by source, the last call that a budget could not bear

    def asked(self, call: int, attempt: int, source: str, worst: Cost, asked_at: int) -> None:
        """Take the record in that stands before an attempt. Idempotent."""
        if self._is_new(call, attempt) and (call, attempt) not in self._free:
            self._open[call, attempt] = _Attempt(source, worst, asked_at)
            self._add(source, worst, asked_at)

    def answered(self, call: int, attempt: int, cost: Cost) -> None:
        """Take an answer in, after the record that stands before it. Idempotent."""
        if (open_ := self._open.pop((call, attempt), None)) is not None:
            self._add(open_.source, open_.worst, open_.asked_at, -1)
            self._add(open_.source, cost, open_.asked_at)

    def refused(self, call: int, attempt: int) -> None:
        """Note that the vendor refused an attempt, so that it cost nothing; its record may come later. Idempotent."""
        self._free.add((call, attempt))
        self.answered(call, attempt, Cost(0, 0.0))

    def bears(self, source: str, worst: Cost, now: int) -> bool:
        """Tell whether a call may be made."""
        if self.short(source, worst, now) is None:
            return True
        self._unfit[source] = worst
        return False

    def out(self, now: int) -> dict[str, Short]:
        """Return the sources that can't be asked now, and why: the call that did not fit does not fit yet."""
        found = {source: self.short(source, worst, now) for source, worst in self._unfit.items()}
        self._unfit = {source: self._unfit[source] for source, why in found.items() if why is not None}
        return {source: why for source, why in found.items() if why is not None}

    def short(self, source: str, worst: Cost, now: int) -> Short | None:
        """Return which budget one more call of a source would exceed."""
        return self._run.short(worst, now) or (
            self._sources[source].short(worst, now) if source in self._sources else None
        )

    def pace(self, source: str, now: int) -> float:
        """Return which part of its usual calls a source may have in flight, 0 to 1."""
        own = self._sources[source].pace(now) if source in self._sources else 1.0
        return min(own, self._run.pace(now))

    @property
    def dollars(self) -> float:
        """Dollars that the run may cost; infinity without a budget."""
        return self._run.dollars

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


def budgets(recipe: Recipe) -> Budgets:
    """Return the budgets of one slot, with nothing spent."""
    slots = recipe.generate.slots
    own = {source.name: limits(source.budget, slots) for source in recipe.sources if not source.is_local}
    return Budgets(limits(recipe.generate.budget, slots), own)
