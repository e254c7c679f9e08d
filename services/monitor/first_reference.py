"""Accepts the first version of the reference: somebody must, and at the start there is nothing to weigh."""

from services import steering
from services.stage import Context
from streams.errors import FatalError, UnavailableError
from streams.tail import last_records
from streams.topics import name

_IDLE_MS = 5_000
_REASON = "the first reference, as it was once ingest had been idle"


def accept_first(context: Context) -> bool:
    """Accept the reference as it is if it has documents enough and has been still; tell whether. Blocks.

    Another monitor may do so at the same time: then one is fenced, and what came of it shows at the next look.
    """
    topic = name(context.pipeline, "reference")
    newest = last_records(context.broker, topic)
    documents = sum(record.offset + 1 for record in newest)
    if documents < steering.ENOUGH or context.now() - max(record.timestamp for record in newest) < _IDLE_MS:
        return False
    broker, codec, now = context.broker, context.codec, context.now()
    try:
        steering.accept_reference(broker, codec, context.pipeline, reason=_REASON, now=now, is_first=True)
    except (UnavailableError, FatalError):
        return False
    return True
