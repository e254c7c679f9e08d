"""What may be spent on calls that are waited for, as a fold over their records in `response`.

An attempt counts as the worst that it can cost from before it is asked, and as what was billed once that is known;
without a bill it counts as the worst for ever. So the budget is not exceeded however calls and processes end. Each slot
has an equal part of it, for slots see late what the others spend; what all have spent counts too, so that slots may
become more or fewer.
"""

from typing import NamedTuple

from services.models.account import Account, Short, limits
from services.models.cost import Cost
from services.models.records import cost, is_asked
from services.recipe import Budget
from streams.errors import BallastError
from streams.events import ModelAnswered


class SpentError(BallastError):
    """No budget bears the call."""


class _Open(NamedTuple):
    is_own: bool
    worst: Cost
    asked_at: int


class Purse:
    """One slot's budget; of the calls it remembers only the attempts that may have been billed."""

    def __init__(self, budget: Budget, slot: int, slots: int) -> None:
        self._slot = slot
        self._own, self._whole = Account(limits(budget, slots)), Account(limits(budget, 1))
        self._open: dict[tuple[str, int], _Open] = {}
        self._ahead: set[tuple[str, int]] = set()  # own attempts whose records were not read yet

    def short(self, record: ModelAnswered, now: int) -> Short | None:
        """Return which budget an attempt would exceed."""
        return self._own.short(cost(record), now) or self._whole.short(cost(record), now)

    def note(self, record: ModelAnswered) -> None:
        """Take in a record that this process writes, before it is read."""
        if is_asked(record):
            self._ahead.add(_attempt(record))
        self._take(record)

    def read(self, record: ModelAnswered) -> None:
        """Take in a record of the log, each once and in their order."""
        if is_asked(record) and _attempt(record) in self._ahead:
            self._ahead.remove(_attempt(record))
        else:
            self._take(record)

    @property
    def dollars(self) -> float:
        """Dollars that this slot may spend; infinity without a budget."""
        return self._own.dollars

    def left(self) -> float:
        """Return the dollars that are left to this slot; infinity without a budget."""
        return min(self._own.left(), self._whole.left())

    def _take(self, record: ModelAnswered) -> None:
        if is_asked(record):
            opened = _Open(record.slot == self._slot, cost(record), record.asked_at)
            self._open[_attempt(record)] = opened
            self._add(opened, opened.worst)
        elif (closed := self._open.pop(_attempt(record), None)) is not None:
            self._add(closed, closed.worst, -1)
            self._add(closed, cost(record))

    def _add(self, attempt: _Open, spent: Cost, sign: int = 1) -> None:
        for account in (self._own, self._whole) if attempt.is_own else (self._whole,):
            account.add(spent, attempt.asked_at, sign)


def _attempt(record: ModelAnswered) -> tuple[str, int]:
    return record.request_key, record.attempt
