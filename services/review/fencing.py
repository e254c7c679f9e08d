"""The one writer of decisions: each call fences the one before, so nobody decides on what another just has."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

from streams.broker import Broker
from streams.codec import Codec
from streams.topics import identity
from streams.writer import Writer


@contextmanager
def fenced(broker: Broker, codec: Codec, pipeline: str) -> Iterator[Writer]:
    """Yield a writer that has fenced every other; what is read from the log afterwards can't change but by it."""
    writer = Writer(broker, codec, pipeline, identity(pipeline, "review", 0))
    with closing(writer):
        writer.start()
        yield writer
