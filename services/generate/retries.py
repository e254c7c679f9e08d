"""When a call that failed is asked again: after a jittered pause that doubles, and a few times only.

What it counts is of this process: a kill is not the call's fault.
"""

from collections.abc import Callable

from services.models.patience import ATTEMPTS
from streams.errors import BallastError

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 60.0


class ExhaustedError(BallastError):
    """A call failed as often as it may be asked; each attempt may have been billed."""


class Retries:
    """The calls that failed and were not answered since; `jitter` gives a number from 0 up to 1, times are seconds."""

    def __init__(self, jitter: Callable[[], float]) -> None:
        self._jitter = jitter
        self._failures: dict[int, int] = {}
        self._until: dict[int, float] = {}

    def failed(self, call: int, now: float, at_least: float) -> bool:
        """Let a call rest for longer than `at_least`; tells whether it may be asked again at all."""
        failures = self._failures[call] = self.failures(call) + 1
        pause = max(at_least, min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** (failures - 1)))
        self._until[call] = now + pause * (1 + self._jitter())
        return failures < ATTEMPTS

    def settled(self, call: int) -> None:
        """Forget a call."""
        self._failures.pop(call, None)
        self._until.pop(call, None)

    def failures(self, call: int) -> int:
        """Return how often a call has failed."""
        return self._failures.get(call, 0)

    def resting(self, now: float) -> set[int]:
        """Return the calls that are not to be asked yet."""
        return {call for call, until in self._until.items() if now < until}
