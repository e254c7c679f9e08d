"""Quix Streams in exactly-once mode on the same work, in its own virtual environment: `peer.py ADDRESS NAME COUNT`.

Same codec, producer settings and transaction size as the hand-written contender; the rest is Quix's default.
"""

import sys
from itertools import count as numbers
from typing import Any

import bare
import cost
import small_event
from quixstreams import Application
from quixstreams.models import Deserializer, Serializer


class FromFrame(Deserializer):
    def __call__(self, value: bytes, ctx: Any) -> dict[str, Any]:  # noqa: ARG002 - passed by name
        return small_event.decode(value)


class ToFrame(Serializer):
    def __call__(self, value: dict[str, Any], ctx: Any) -> bytes:  # noqa: ARG002 - passed by name
        return small_event.encode(value)


def main(bootstrap: str, name: str, count: str) -> None:
    """Take `count` records from `<name>.generate` to `<name>.verify`, exactly once."""
    app = Application(
        broker_address=bootstrap,
        consumer_group=name,
        auto_offset_reset="earliest",
        processing_guarantee="exactly-once",
        commit_every=bare.BATCH,
        commit_interval=bare.SECONDS,
        consumer_extra_config=bare.CONSUMER,
        producer_extra_config=bare.PRODUCER,
        auto_create_topics=False,
        loglevel="WARNING",
    )
    last, seen = int(count), numbers(1)

    def accept(event: dict[str, Any]) -> dict[str, Any]:
        if next(seen) == last:
            app.stop()
        return small_event.accept(event)

    source = app.topic(f"{name}.generate", value_deserializer=FromFrame(), key_deserializer="bytes")
    sink = app.topic(f"{name}.verify", value_serializer=ToFrame(), key_serializer="bytes")
    app.dataframe(source).apply(accept).to_topic(sink)
    app.run()


if __name__ == "__main__":
    main(*sys.argv[1:])
    cost.tell()
