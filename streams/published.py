"""The topic `schema`: every writer publishes its schemas before its first event, so that every reader finds them.

SchemaPublished's own schema never changes, so the topic can be read without itself.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress

from streams import schemas
from streams.broker import Broker, Outgoing, Record, TopicPartition
from streams.codec import Codec
from streams.errors import DecodeError, UnknownSchemaError
from streams.events import SchemaPublished, event_id
from streams.fold import Fold
from streams.topics import name


class PublishedSchemas:
    """The schemas of one pipeline's topic; `lookup` is what a Codec takes."""

    def __init__(self, broker: Broker, pipeline: str) -> None:
        self._broker = broker
        self._topic = name(pipeline, "schema")
        self._codec = Codec()
        self._known: dict[str, str] = {}
        self._positions: Mapping[TopicPartition, int] = {}

    def lookup(self, fingerprint: str) -> str | None:
        """Return the schema as JSON, or None if the topic lacks it by now. Blocks; raises BrokerError or TopicError."""
        if fingerprint not in self._known:
            self._read_on()
        return self._known.get(fingerprint)

    def publish(self, now: int) -> None:
        """Write the schemas of this process that the topic lacks; does nothing where it has them all.

        Blocks until they are acknowledged. Raises BrokerError or TopicError.
        """
        self._read_on()
        missing = {word: fingerprint for word, fingerprint in _own().items() if fingerprint not in self._known}
        if not missing:
            return
        producer = self._broker.producer()
        try:
            producer.send([self._outgoing(word, fingerprint, now) for word, fingerprint in missing.items()])
            producer.flush()
        finally:
            producer.close()

    def _read_on(self) -> None:
        fold = Fold(self._broker, [self._topic], self._apply, self._positions)
        try:
            fold.catch_up()
            self._positions = fold.positions()
        finally:
            fold.close()

    def _apply(self, records: Sequence[Record]) -> None:
        for record in records:
            with suppress(DecodeError, UnknownSchemaError):  # whoever needs a broken record finds its schema unknown
                event = self._codec.decode(record.value)
                if isinstance(event, SchemaPublished):
                    self._known[event.fingerprint] = event.schema

    def _outgoing(self, word: str, fingerprint: str, now: int) -> Outgoing:
        text = json.dumps(schemas.current(word), ensure_ascii=False)
        identity = event_id(SchemaPublished, fingerprint)
        event = SchemaPublished(event_id=identity, occurred_at=now, fingerprint=fingerprint, word=word, schema=text)
        return Outgoing(self._topic, fingerprint.encode(), self._codec.encode(event))


def _own() -> dict[str, str]:
    return {word: schemas.fingerprint_of(schemas.current(word)) for word in schemas.WORDS}
