"""One paid source as the dispatcher sees it: how many calls it has in flight, may have, and keeps waiting."""

from collections import deque

import structlog

from services.models.breaker import Breaker
from services.models.faults import TroubleError
from services.models.in_flight import Question
from services.models.throttle import Throttle
from services.recipe import Source
from streams.metrics import Metrics


class Lane:
    """Times are seconds of one monotonic clock."""

    def __init__(self, source: Source, metrics: Metrics) -> None:
        self.fall_back = source.fall_back
        self.waiting: deque[Question] = deque()  # rate-limited: asked again as they are
        self.in_flight = 0
        self.pace = 1.0  # part of the limit that its budget allows
        self.is_spent = False  # until the next look at the budget
        self._name, self._metrics = source.name, metrics
        self._throttle, self._breaker = Throttle(source.concurrency), Breaker()
        self._told = self._breaker.position

    @property
    def pause(self) -> float:
        """Seconds that the breaker waits between probes, 0 while it is closed."""
        return self._breaker.pause

    @property
    def is_closed(self) -> bool:
        """Whether calls pass as usual."""
        return self._breaker.position == "closed"

    def is_away(self, now: float) -> bool:
        """Tell whether the source can't be asked, not even for a probe; one that is only busy can be waited for."""
        return not (self.is_closed or self.answers(now))

    def has_room(self, now: float) -> bool:
        """Tell whether a call may be begun now."""
        is_slow = self.in_flight >= max(1.0, self._throttle.limit * self.pace)
        return not (self.is_spent or is_slow) and self.answers(now)

    def answers(self, now: float) -> bool:
        """Tell whether the source itself would take a call now."""
        return self._breaker.passes(now) and self._throttle.room(self.in_flight, now) > 0

    def begun(self) -> None:
        """Take in that a call was begun."""
        self.in_flight += 1
        self._breaker.begun()
        self._tell()

    def answered(self) -> None:
        """Take in that a call was answered or refused."""
        self._throttle.answered(self.in_flight)
        self._ended()

    def limited(self, error: TroubleError, began: float, now: float) -> None:
        """Take in that the vendor said no to a call begun at `began`."""
        self._throttle.limited(began, now, error.pause)
        self._ended()

    def failed(self, error: TroubleError, began: float, now: float) -> None:
        """Take in that a call begun at `began` failed."""
        if error.pause is not None:
            self._throttle.limited(began, now, error.pause)
        self._breaker.failed(began, now)
        self.in_flight -= 1
        self._tell(str(error))

    def show(self) -> None:
        """Bring the gauges up to date."""
        self._metrics.set("model_concurrency", self._throttle.limit, self._name, "limit")
        self._metrics.set("model_concurrency", self.in_flight, self._name, "in_flight")

    def _ended(self) -> None:
        self._breaker.succeeded()
        self.in_flight -= 1
        self._tell()

    def _tell(self, why: str = "") -> None:
        """Say a change once."""
        if self._breaker.position != self._told:
            self._told = self._breaker.position
            structlog.get_logger().info("breaker", source=self._name, position=self._told, why=why)
