from collections.abc import Callable, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Self

from streams.broker import Broker, Consumer, Outgoing, Producer, Record, Starts, TopicPartition

POLLS = 400  # of 0.05 s: far above what any rebalance takes
WAIT = 0.05


class Clients:
    """Makes consumers and producers, and closes them with the test."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._made: list[Consumer | Producer] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for client in self._made:
            client.close()

    def producer(self, transactional_id: str | None = None) -> Producer:
        """Make a producer and initialise it."""
        producer = self._broker.producer(transactional_id)
        self._made.append(producer)
        if transactional_id is not None:
            producer.init()
        return producer

    def reader(self, positions: Mapping[TopicPartition, int]) -> Consumer:
        consumer = self._broker.consumer()
        self._made.append(consumer)
        consumer.assign(positions)
        return consumer

    def member(self, group: str, topic: str, starts: Starts, instance: str | None = None) -> Consumer:
        consumer = self._broker.consumer(group, instance)
        self._made.append(consumer)
        consumer.subscribe([topic], starts)
        return consumer


def from_zero(partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
    return dict.fromkeys(partitions, 0)


def polls(consumer: Consumer, done: Callable[[list[Record]], bool], limit: int = 1000) -> list[Record]:
    """Poll until what was read suffices; the bound turns a hang into a failure."""
    records: list[Record] = []
    for _ in range(POLLS):
        if done(records):
            return records
        records += consumer.poll(limit, WAIT)
    raise AssertionError(f"gave up with {len(records)} records at {consumer.positions()}")


def to_end(broker: Broker, consumer: Consumer) -> list[Record]:
    """Read everything that is committed now."""
    ends = {tp: end for tp, (_, end) in broker.bounds(consumer.assignment()).items()}
    return polls(consumer, lambda _: all(consumer.reached(tp) >= end for tp, end in ends.items()))


def join(consumer: Consumer) -> list[Record]:
    """Poll until the group gave partitions; return what came with them."""
    return polls(consumer, lambda _: bool(consumer.assignment()))


def outgoing(at: TopicPartition, values: Iterable[str]) -> list[Outgoing]:
    return [Outgoing(at.topic, None, value.encode(), at.partition) for value in values]


def values(records: Iterable[Record]) -> list[str]:
    return [record.value.decode() for record in records]
