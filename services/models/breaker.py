"""Whether a source is asked at all: after some failures in a row it rests, then one call finds out if it is back."""

from typing import Literal

Position = Literal["closed", "open", "probing"]

_FAILURES = 5
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0


class Breaker:
    """Times are seconds of one monotonic clock; a rate limit is no failure, for the vendor is there."""

    def __init__(self) -> None:
        self.position: Position = "closed"
        self._failures = 0
        self._opened = float("-inf")
        self.pause = 0.0  # between probes

    def passes(self, now: float) -> bool:
        """Tell whether a call may be begun now."""
        if self.position == "open":
            return now >= self._opened + self.pause
        return self.position == "closed"

    def begun(self) -> None:
        """Take in that a call was begun; while it is open that is the probe."""
        if self.position == "open":
            self.position = "probing"

    def succeeded(self) -> None:
        """Take in that the vendor has answered a call, whatever it said."""
        self.position, self._failures, self.pause = "closed", 0, 0.0

    def failed(self, began: float, now: float) -> None:
        """Take in that a call begun at `began` failed; of those begun before it opened only the first ones count."""
        self._failures += 1
        is_probe = self.position == "probing" and began >= self._opened
        if is_probe or (self.position == "closed" and self._failures >= _FAILURES):
            self.position, self._opened = "open", now
            self.pause = min(_LONGEST_PAUSE, max(_FIRST_PAUSE, 2 * self.pause))
