"""How long a call that failed is asked again by whoever has to wait for its answer."""

from typing import NamedTuple

from services.models.faults import TroubleError
from streams.errors import UnavailableError

ATTEMPTS = 8
_FIRST_PAUSE, LONGEST_PAUSE = 0.1, 1.0  # seconds, unless the vendor asks for more


class Patience(NamedTuple):
    """With one model, which is the one that is called `where`; `seconds` is how long it may be silent.

    An attempt is begun for as long as that and one second more, so the last has ended within twice `seconds` and 1 s.
    """

    where: str
    seconds: float

    @property
    def most(self) -> float:
        """Seconds in which attempts are begun."""
        return self.seconds + 1

    def pause(self, trouble: TroubleError, attempts: int, elapsed: float, jitter: float) -> float | None:
        """Return how many seconds the next attempt has to wait; None if there is none any more.

        `jitter` is from 0 to 1; what the vendor asks for is obeyed, or there is no time for it.
        """
        left = self.most - elapsed
        if attempts >= ATTEMPTS or left < 0:
            return None
        if trouble.pause is not None:
            return trouble.pause if trouble.pause <= left else None
        return min(LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** (attempts - 1) + jitter, left)

    def lost(self, trouble: TroubleError) -> UnavailableError:
        """Return the fault of a model that was asked for long enough."""
        return UnavailableError(
            f"{self.where} gives no answer: {trouble}; check the network and `base_url`, or wait and start again"
        )
