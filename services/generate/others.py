"""What other slots have asked: their calls are outstanding too until there is a candidate or a dead letter of each.

Else a slot that stands in for one that was killed would have its calls made beside those that are asked again later.
"""

from services.generate.calls import Calls, Seen


class Others:
    """Marks the calls of other slots; takes records in any order, and any number of times."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._asked: dict[int, int] = {}  # without a candidate: the attempt
        self._refused: dict[int, int] = {}

    def asked(self, call: int, attempt: int) -> None:
        """Note that a call was asked, or answered."""
        if self._calls.seen(call, Seen.MADE) or attempt <= self._refused.get(call, 0):
            return
        self._asked[call] = max(self._asked.get(call, 0), attempt)
        self._calls.mark(call, Seen.ASKED)

    def refused(self, call: int, attempt: int) -> None:
        """Note that an attempt at a call has a dead letter."""
        self._refused[call] = max(self._refused.get(call, 0), attempt)
        if self._asked.get(call, 0) <= attempt:
            self._asked.pop(call, None)
            self._calls.mark(call, Seen.REFUSED)

    def made(self, call: int) -> None:
        """Note that a call's candidates are written."""
        self._asked.pop(call, None)
