"""Decisions by command and by expiry, each with its fate in one transaction, and each by one process at a time.

Every call fences the one before and reads the log afterwards, so two people can't both decide about one sample.
"""

from contextlib import closing

from services.review.desk import Desk, Waiting
from services.review.errors import ReviewError
from services.review.fencing import fenced
from services.review.ruling import Ruling, checked
from services.review.verdict import expired, settled, submitted
from streams.broker import Broker
from streams.codec import Codec
from streams.errors import AbortableError
from streams.writer import Output

_AT_ONCE = 500


def waiting(broker: Broker, codec: Codec, pipeline: str) -> list[Waiting]:
    """Return what waits for a decision, first the one that expires first. Blocks."""
    with closing(Desk(broker, codec, pipeline)) as desk:
        desk.catch_up()
        return desk.waiting()


def decide(broker: Broker, codec: Codec, pipeline: str, *, sample_id: str, ruling: Ruling, now: int) -> None:
    """Settle a sample that waits, whatever others said of it. Blocks; raises ReviewError if nothing was written."""
    with closing(Desk(broker, codec, pipeline)) as desk:
        desk.catch_up()  # takes the longest; what comes after the fence is little, so that hardly anyone fences us
        with fenced(broker, codec, pipeline) as writer:
            desk.catch_up()
            try:
                writer.write(writer.encode(_settled(desk, sample_id, ruling, now)))
            except AbortableError as error:
                raise ReviewError(f"The decision on sample {sample_id} was not written; give it again") from error


def expire(broker: Broker, codec: Codec, pipeline: str, desk: Desk, now: int) -> int:
    """Decide about up to 500 samples whose time is over; returns how many. Blocks; raises AbortableError: try again."""
    with fenced(broker, codec, pipeline) as writer:
        desk.catch_up()
        due = desk.due(now, _AT_ONCE)
        if due:
            writer.write(writer.encode(output for request in due for output in expired(request, now)))
    return len(due)


def _settled(desk: Desk, sample_id: str, ruling: Ruling, now: int) -> list[Output]:
    request = desk.request(sample_id)
    if request is None and desk.decisions.is_settled(sample_id):
        raise ReviewError(f"Sample {sample_id} is decided already; `ballast trace {sample_id}` shows how")
    if request is None:
        raise ReviewError(f"Sample {sample_id} does not wait for review; `ballast review list` shows what does")
    said = checked(request.sample, ruling)
    return settled(request, submitted(request, said, now, desk.decisions.revision(sample_id, said.reviewer)))
