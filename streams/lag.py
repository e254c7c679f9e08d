"""How many offsets of topics a group has not committed yet, by partition.

A transaction's marker takes an offset too, so a group that has read everything is still a few behind.
"""

from collections.abc import Mapping, Sequence

from streams.broker import Broker, TopicPartition


def behind(
    broker: Broker, topics: Sequence[str], positions: Mapping[TopicPartition, int]
) -> Mapping[TopicPartition, int]:
    """Return the offsets from each position to the end; a partition without one counts from its start. Blocks."""
    counts = broker.partitions()
    bounds = broker.bounds(TopicPartition(topic, number) for topic in topics for number in range(counts[topic]))
    return {at: max(0, end - positions.get(at, first)) for at, (first, end) in bounds.items()}
