"""Counts what a contender wrote, as a reader of committed records sees it, and how fast it came.

The broker stamps each output when it arrives, so all contenders are measured by one clock that none of them holds.
"""

from typing import NamedTuple

from cluster import PARTITIONS
from confluent_kafka import Consumer, KafkaError, TopicPartition

_WARM_UP = 0.1
_QUIET_POLLS = 20


class Output(NamedTuple):
    """What lies in the topic: how many records, how many different keys, and records/s after the warm-up."""

    records: int
    distinct: int
    rate: float


def read(bootstrap: str, topic: str, expected: int) -> Output:
    """Read the topic to its end; the first tenth of its records is warm-up."""
    times, keys = _records(bootstrap, topic, expected)
    times.sort()
    first = int(len(times) * _WARM_UP)
    seconds = (times[-1] - times[first]) / 1000 if times else 0.0
    return Output(len(times), len(keys), (len(times) - 1 - first) / seconds if seconds else 0.0)


def _records(bootstrap: str, topic: str, expected: int) -> tuple[list[int], set[bytes]]:
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "bench-reader",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
        }
    )
    consumer.assign([TopicPartition(topic, number, 0) for number in range(PARTITIONS)])
    times: list[int] = []
    keys: set[bytes] = set()
    ended: set[int] = set()
    quiet = 0
    while quiet < _QUIET_POLLS and not (len(times) >= expected and len(ended) == PARTITIONS):
        messages = consumer.consume(10_000, 0.25)
        quiet = 0 if messages else quiet + 1
        ended |= {m.partition() for m in messages if (e := m.error()) and e.code() == KafkaError._PARTITION_EOF}  # noqa: SLF001 - librdkafka's own codes start with one
        good = [message for message in messages if message.error() is None]
        times += [message.timestamp()[1] for message in good]
        keys |= {message.key() for message in good}
    consumer.close()
    return times, keys
