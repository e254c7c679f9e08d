"""review: reads review and decision, writes decision, verify and reject for what nobody decided in time."""

from services.review.decide import expire
from services.review.desk import Desk
from services.stage import Context, Stage
from streams.errors import AbortableError

_IDLE_SECONDS = 0.5


def build(context: Context) -> Stage:
    """Return the stage that lets requests expire."""
    return Expiry(context)


class Expiry:
    """Takes the transactional id only while something is due, so that people's commands do not end it."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._desk: Desk | None = None

    def start(self) -> None:
        """Read what waits. Blocks."""
        self._desk = Desk(self._context.broker, self._context.codec, self._context.pipeline)
        self._desk.catch_up()

    def step(self) -> int:
        """Decide about what is due; returns how many samples."""
        if self._desk is None:
            return 0
        self._desk.advance(_IDLE_SECONDS)
        now = self._context.now()
        if not self._desk.due(now, 1):
            return 0
        try:
            count = expire(self._context.broker, self._context.codec, self._context.pipeline, self._desk, now)
        except AbortableError:
            self._context.metrics.count("transactions", 1, "review", "aborted")
            return 0
        self._context.metrics.count("transactions", 1, "review", "committed")
        return count

    def close(self) -> None:
        """Let go of the connection."""
        if self._desk is not None:
            self._desk.close()
