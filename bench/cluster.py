"""The broker and the topics of a measurement: one embedded broker a run, fresh topics for every contender."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient

from services import settings
from services.supervise import kafka
from streams.broker import NewTopic
from streams.kafka import KafkaBroker
from streams.topics import name

PARTITIONS = 4
_PRODUCER = {"enable.idempotence": True, "linger.ms": 50, "compression.type": "lz4", "partitioner": "murmur2_random"}


@contextmanager
def embedded() -> Iterator[tuple[str, Path]]:
    """Yield a broker's address and a folder, both for this run alone."""
    with TemporaryDirectory(prefix="ballast-bench-") as name:
        folder = Path(name)
        with kafka.embedded(settings.read(), folder) as broker:
            yield broker.start(), folder


def create(bootstrap: str, run: str) -> None:
    """Create what one contender reads and writes; the broker's own clock stamps the outputs."""
    topics = [
        NewTopic(name(run, "generate"), PARTITIONS, {}),
        NewTopic(name(run, "verify"), PARTITIONS, {"message.timestamp.type": "LogAppendTime"}),
        NewTopic(name(run, "redo.verify"), 1, {}),
    ]
    KafkaBroker(bootstrap).create(topics)


def fill(bootstrap: str, topic: str, records: Iterable[tuple[bytes, bytes]]) -> None:
    """Write (key, value) pairs to a topic."""
    producer = Producer({"bootstrap.servers": bootstrap, **_PRODUCER})
    for key, value in records:
        while True:
            try:
                producer.produce(topic, value, key)
                break
            except BufferError:
                producer.poll(0.05)
    if left := producer.flush(60):
        raise TimeoutError(f"{left} records of {topic} were not acknowledged")


def drop(bootstrap: str, run: str) -> None:
    """Delete a contender's topics."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    for future in admin.delete_topics([name(run, word) for word in ("generate", "verify", "redo.verify")]).values():
        future.result(30)
