"""One budget and what is spent of it: of the run or of one source, in dollars and tokens, in all and in an hour."""

import math
from typing import Literal, NamedTuple

from services.models.cost import Cost
from services.recipe import Budget

_MINUTE_MS = 60_000
_HOUR = 60  # minutes; the one that has begun comes on top, so that an hour is never counted short
_SOFT = 0.2  # of a budget is left when calls begin to slow down

Short = Literal["budget", "hourly budget"]


class Limits(NamedTuple):
    """The most that may be spent; infinity where there is no limit."""

    dollars: float = math.inf
    tokens: float = math.inf
    dollars_per_hour: float = math.inf
    tokens_per_hour: float = math.inf


def limits(budget: Budget, slots: int) -> Limits:
    """Return the part of a recipe's budget that each of so many slots has."""

    def part(most: float | None) -> float:
        return math.inf if most is None else most / slots

    return Limits(
        part(budget.dollars), part(budget.tokens), part(budget.dollars_per_hour), part(budget.tokens_per_hour)
    )


class Spent(NamedTuple):
    """Sums over attempts; what has an unknown price adds its tokens alone."""

    dollars: float = 0.0
    tokens: int = 0

    def plus(self, cost: Cost, sign: int = 1) -> "Spent":
        """Add a cost, or take it off again."""
        return Spent(self.dollars + sign * (cost.dollars or 0.0), self.tokens + sign * cost.tokens)


class Account:
    """All attempts at calls that one budget covers, and those of the last hour by the minute in which they began."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._all = Spent()
        self._minutes: dict[int, Spent] = {}

    def add(self, cost: Cost, asked_at: int, sign: int = 1) -> None:
        """Take an attempt in that was asked at this time, UTC milliseconds, or take it out again."""
        self._all = self._all.plus(cost, sign)
        minute = asked_at // _MINUTE_MS
        self._minutes[minute] = self._minutes.get(minute, Spent()).plus(cost, sign)

    def short(self, worst: Cost, now: int) -> Short | None:
        """Return which budget a call that may cost so much would exceed."""
        after, hour = self._all.plus(worst), self._hour(now).plus(worst)
        if after.dollars > self._limits.dollars or after.tokens > self._limits.tokens:
            return "budget"
        if hour.dollars > self._limits.dollars_per_hour or hour.tokens > self._limits.tokens_per_hour:
            return "hourly budget"
        return None

    def pace(self, now: int) -> float:
        """Return which part of its usual calls may be in flight: all, and fewer as the last fifth of a budget goes."""
        hour, limits = self._hour(now), self._limits
        used = (
            (self._all.dollars, limits.dollars),
            (self._all.tokens, limits.tokens),
            (hour.dollars, limits.dollars_per_hour),
            (hour.tokens, limits.tokens_per_hour),
        )
        left = min(1 - spent / limit if limit else 0.0 for spent, limit in used)
        return min(1.0, max(0.0, left / _SOFT))

    @property
    def dollars(self) -> float:
        """Dollars of the whole budget; infinity without one."""
        return self._limits.dollars

    def left(self) -> float:
        """Return the dollars of the whole budget that are left; infinity without one."""
        return self._limits.dollars - self._all.dollars

    def _hour(self, now: int) -> Spent:
        first = now // _MINUTE_MS - _HOUR
        self._minutes = {minute: spent for minute, spent in self._minutes.items() if minute >= first}
        recent = self._minutes.values()
        return Spent(sum(spent.dollars for spent in recent), sum(spent.tokens for spent in recent))
