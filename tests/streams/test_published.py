import copy
import io
import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from fastavro import parse_schema, schemaless_writer

from streams import schemas, topics
from streams.broker import Outgoing, TopicPartition
from streams.codec import HEADER, MAGIC, Codec
from streams.errors import TopicError, UnknownSchemaError
from streams.events import SchemaPublished
from streams.memory import MemoryBroker
from streams.published import PublishedSchemas

TOPIC = TopicPartition("plays.schema", 0)
GOLDEN = next((Path(__file__).parent.parent / "schemas" / "golden").glob("verify-*.bin")).read_bytes()


@pytest.fixture
def broker() -> MemoryBroker:
    broker = MemoryBroker()
    topics.ensure(broker, "plays")
    return broker


class LateBroker:
    """A broker whose producers lose what is not flushed."""

    def __init__(self, broker: MemoryBroker) -> None:
        self._broker, self._waiting = broker, list[Outgoing]()
        self.send, self.close = self._waiting.extend, self._waiting.clear

    def __getattr__(self, name: str) -> Any:
        return getattr(self._broker, name)

    def producer(self) -> Any:
        return self

    def flush(self) -> None:
        self._broker.producer().send(self._waiting)


def in_topic(broker: MemoryBroker) -> list[tuple[bytes | None, Any]]:
    consumer = broker.consumer()
    consumer.assign({TOPIC: 0})
    return [(record.key, Codec().decode(record.value)) for record in consumer.poll(1000, 0.0)]


def send(broker: MemoryBroker, key: str, value: bytes) -> None:
    producer = broker.producer()
    producer.send([Outgoing(TOPIC.topic, key.encode(), value)])
    producer.flush()


def newer_schema() -> dict[str, Any]:
    """Tomorrow's schema of accepted samples: one more optional field and one more origin."""
    schema = copy.deepcopy(schemas.current("verify"))
    lineage = schema["fields"][-1]["type"]["fields"][-1]["type"]
    origin = lineage["fields"][0]["type"]
    origin["symbols"].insert(0, "ALIEN")
    schema["fields"].insert(2, {"name": "note", "type": ["null", "string"], "default": None, "doc": "A note."})
    return schema


def newer_frame(note: str | None, origin: str) -> bytes:
    plain = asdict(Codec().decode(GOLDEN))
    plain["note"] = note
    plain["sample"]["lineage"]["origin"] = origin
    out = io.BytesIO()
    schemaless_writer(out, parse_schema(newer_schema(), {}), plain)
    return MAGIC + bytes.fromhex(schemas.fingerprint_of(newer_schema())) + out.getvalue()


def publish_newer(broker: MemoryBroker) -> None:
    fingerprint, text = schemas.fingerprint_of(newer_schema()), json.dumps(newer_schema())
    event = SchemaPublished(event_id="x", occurred_at=1, fingerprint=fingerprint, word="verify", schema=text)
    send(broker, fingerprint, Codec().encode(event))


def test_a_writer_publishes_each_of_its_schemas_under_its_fingerprint(broker: MemoryBroker) -> None:
    PublishedSchemas(broker, "plays").publish(now=1_790_000_000_000)
    found = in_topic(broker)
    assert [(event.word, key.decode()) for key, event in found if key] == [
        (word, schemas.fingerprint_of(schemas.current(word))) for word in schemas.WORDS
    ]
    for key, event in found:
        assert event.occurred_at == 1_790_000_000_000
        assert event.fingerprint.encode() == key
        assert json.loads(event.schema) == schemas.current(event.word)


def test_publishing_waits_until_the_schemas_are_there(broker: MemoryBroker) -> None:
    PublishedSchemas(LateBroker(broker), "plays").publish(now=1)  # type: ignore[arg-type]
    assert len(in_topic(broker)) == len(schemas.WORDS)


def test_publishing_again_writes_nothing(broker: MemoryBroker) -> None:
    PublishedSchemas(broker, "plays").publish(now=1)
    before = in_topic(broker)
    PublishedSchemas(broker, "plays").publish(now=2)
    again = PublishedSchemas(broker, "plays")
    again.publish(now=3)
    again.publish(now=4)
    assert in_topic(broker) == before


def test_publishing_writes_only_what_is_missing(broker: MemoryBroker) -> None:
    one = SchemaPublished(
        event_id="x",
        occurred_at=1,
        fingerprint=schemas.fingerprint_of(schemas.current("mix")),
        word="mix",
        schema=json.dumps(schemas.current("mix")),
    )
    send(broker, one.fingerprint, Codec().encode(one))
    PublishedSchemas(broker, "plays").publish(now=2)
    words = [event.word for _, event in in_topic(broker)]
    assert sorted(words) == sorted(schemas.WORDS)


def test_an_old_reader_keeps_working_when_a_newer_writer_comes(broker: MemoryBroker) -> None:
    PublishedSchemas(broker, "plays").publish(now=1)
    reader = Codec(PublishedSchemas(broker, "plays").lookup)
    today: Any = reader.decode(GOLDEN)

    with pytest.raises(UnknownSchemaError):
        reader.decode(newer_frame("hello", "SYNTHETIC"))
    publish_newer(broker)

    assert reader.decode(newer_frame("hello", "SYNTHETIC")) == today
    assert reader.decode(newer_frame(None, "HUMAN_EDITED")).sample.lineage.origin == "HUMAN_EDITED"  # type: ignore[union-attr]
    unknown = replace(today.sample.lineage, origin="UNKNOWN")
    assert reader.decode(newer_frame("hello", "ALIEN")) == replace(today, sample=replace(today.sample, lineage=unknown))
    assert reader.header(newer_frame("hello", "ALIEN")).origin == "UNKNOWN"
    assert reader.sample_bytes(newer_frame("hello", "SYNTHETIC")) == reader.sample_bytes(GOLDEN)
    assert reader.decode(GOLDEN) == today


def test_a_known_fingerprint_is_not_read_twice(broker: MemoryBroker) -> None:
    publish_newer(broker)
    published = PublishedSchemas(broker, "plays")
    fingerprint = schemas.fingerprint_of(newer_schema())
    first = published.lookup(fingerprint)
    published._broker = None  # type: ignore[assignment]
    assert published.lookup(fingerprint) == first == json.dumps(newer_schema())


def test_a_lookup_goes_on_where_the_last_one_ended(broker: MemoryBroker) -> None:
    published = PublishedSchemas(broker, "plays")
    published.publish(now=1)
    assert published.lookup("0" * 16) is None
    assert published._positions == {TOPIC: len(schemas.WORDS)}
    publish_newer(broker)
    assert published.lookup(schemas.fingerprint_of(newer_schema()))
    assert published._positions == {TOPIC: len(schemas.WORDS) + 1}


def test_a_record_that_is_no_schema_is_passed_over(broker: MemoryBroker) -> None:
    send(broker, "a", b"junk")
    send(broker, "b", MAGIC + bytes(8) + b"junk")
    send(broker, "c", GOLDEN)
    publish_newer(broker)
    assert Codec(PublishedSchemas(broker, "plays").lookup).decode(newer_frame(None, "SYNTHETIC"))


def test_a_published_schema_needs_no_topic_to_be_read(broker: MemoryBroker) -> None:
    PublishedSchemas(broker, "plays").publish(now=1)
    consumer = broker.consumer()
    consumer.assign({TOPIC: 0})
    (fingerprint,) = {record.value[:HEADER] for record in consumer.poll(1000, 0.0)}
    assert fingerprint == MAGIC + bytes.fromhex(schemas.fingerprint_of(schemas.current("schema")))


def test_a_missing_topic_is_told() -> None:
    with pytest.raises(TopicError, match=r"plays\.schema does not exist"):
        PublishedSchemas(MemoryBroker(), "plays").publish(now=1)
