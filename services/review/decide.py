"""Decisions on what waits, each with its fate in one transaction, and each by one process at a time.

Every call fences the one before and reads the log afterwards, so two people can't both decide about one sample.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager

from services.errors import InputError
from services.review.desk import Desk, Waiting
from services.review.verdict import Ruling, decided, expired
from streams.broker import Broker
from streams.codec import Codec
from streams.errors import AbortableError
from streams.topics import identity
from streams.writer import Writer

_AT_ONCE = 500


class ReviewError(InputError):
    """A decision can't be taken; nothing was written."""


def waiting(broker: Broker, codec: Codec, pipeline: str) -> list[Waiting]:
    """Return what waits for a decision, first the one that expires first. Blocks."""
    with closing(Desk(broker, codec, pipeline)) as desk:
        desk.catch_up()
        return desk.waiting()


def decide(broker: Broker, codec: Codec, pipeline: str, *, sample_id: str, ruling: Ruling, now: int) -> None:
    """Accept or reject a sample that waits. Blocks; raises ReviewError if it does not wait, or was not decided."""
    if ruling.decision == "reject" and not ruling.reasons:
        raise ReviewError(f"The rejection of sample {sample_id} has no reason; give at least one")
    with _writer(broker, codec, pipeline) as writer, closing(Desk(broker, codec, pipeline)) as desk:
        desk.catch_up()
        request = desk.request(sample_id)
        if request is None and desk.is_decided(sample_id):
            raise ReviewError(f"Sample {sample_id} is decided already; `ballast trace {sample_id}` shows how")
        if request is None:
            raise ReviewError(f"Sample {sample_id} does not wait for review; `ballast review list` shows what does")
        try:
            writer.write(writer.encode(decided(request, ruling, now)))
        except AbortableError as error:
            raise ReviewError(f"The decision on sample {sample_id} was not written; give it again") from error


def expire(broker: Broker, codec: Codec, pipeline: str, desk: Desk, now: int) -> int:
    """Decide about up to 500 samples whose time is over; returns how many. Blocks; raises AbortableError: try again."""
    with _writer(broker, codec, pipeline) as writer:
        desk.catch_up()
        due = desk.due(now, _AT_ONCE)
        if due:
            writer.write(writer.encode(output for request in due for output in expired(request, now)))
    return len(due)


@contextmanager
def _writer(broker: Broker, codec: Codec, pipeline: str) -> Iterator[Writer]:
    writer = Writer(broker, codec, pipeline, identity(pipeline, "review", 0))
    with closing(writer):
        writer.start()
        yield writer
