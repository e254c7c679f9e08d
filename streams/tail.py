"""Reads the newest record of each partition of a topic without reading the rest."""

from collections.abc import Callable

from streams.broker import Broker, Consumer, Record, TopicPartition
from streams.errors import UnavailableError

_FIRST_STEP = 16
_WAIT = 0.01  # a poll waits as long as that unless its limit is reached


def last_records(broker: Broker, topic: str, patience: Callable[[], bool] = lambda: True) -> list[Record]:
    """Return the last committed record of each partition that has one.

    Blocks for some milliseconds a partition; `patience` is asked between polls and ends the wait with UnavailableError.
    """
    partitions = [TopicPartition(topic, number) for number in range(broker.partitions()[topic])]
    bounds = broker.bounds(partitions)
    found: list[Record] = []
    consumer = broker.consumer()
    try:
        for partition in partitions:
            first, end = bounds[partition]
            found += _last(consumer, partition, first, end, patience)
    finally:
        consumer.close()
    return found


def _last(
    consumer: Consumer, partition: TopicPartition, first: int, end: int, patience: Callable[[], bool]
) -> list[Record]:
    """Look further and further back: the offsets before the end may all be markers or aborted records."""
    step = _FIRST_STEP
    start = end
    while start > first:
        start = max(first, end - step)
        consumer.assign({partition: start})
        last: list[Record] = []
        while consumer.reached(partition) < end:
            last = [r for r in consumer.poll(1_000, _WAIT) if r.offset < end][-1:] or last
            if not patience():
                raise UnavailableError(f"The end of {partition.topic} could not be read in time; check the broker")
        if last:
            return last
        step *= 8
    return []
