"""The broker in one process, for tests: the promises of `kafka` with transactions, fencing and offsets.

A dead process is modelled by dropping its objects: its transaction stays open until the next `init` of its id.
Nothing blocks. A group has one member: who joins later takes over.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

from streams.broker import Committed, NewTopic, TopicPartition
from streams.errors import FatalError
from streams.memory_clients import MemoryConsumer, MemoryProducer
from streams.memory_log import Log


class MemoryBroker:
    """Satisfies `streams.broker.Broker`; `clock` gives the records' timestamps in UTC milliseconds."""

    def __init__(self, clock: Callable[[], int] = lambda: 0) -> None:
        self._log = Log(clock)

    def consumer(self, group: str | None = None, instance: str | None = None) -> MemoryConsumer:  # noqa: ARG002 - see above
        """Return a consumer."""
        return MemoryConsumer(self._log, group)

    def producer(self, transactional_id: str | None = None) -> MemoryProducer:
        """Return a producer."""
        return MemoryProducer(self._log, transactional_id)

    def create(self, topics: Iterable[NewTopic]) -> None:
        """Create topics; one that exists is left as it is."""
        for topic in topics:
            self._log.create(topic.name, topic.partitions)

    def partitions(self) -> Mapping[str, int]:
        """Return the partition count of every topic."""
        return dict(self._log.topics)

    def bounds(self, partitions: Iterable[TopicPartition]) -> Mapping[TopicPartition, tuple[int, int]]:
        """Return (0, where the first open transaction begins, or else the end)."""
        return {at: (0, self._log.stable_end(at)) for at in partitions}

    def committed(self, group: str) -> Mapping[TopicPartition, Committed]:
        """Return a group's positions."""
        return dict(self._log.groups[group].committed) if group in self._log.groups else {}

    def commit(self, group: str, positions: Mapping[TopicPartition, Committed]) -> None:
        """Set a group's positions; FatalError if it has a member."""
        self._refuse_member(group)
        self._log.group(group).committed.update(positions)

    def groups(self, prefix: str) -> Sequence[str]:
        """Return the names of the groups that start so, sorted."""
        return sorted(group for group in self._log.groups if group.startswith(prefix))

    def forget(self, group: str) -> None:
        """Delete a group's positions; FatalError if it has a member."""
        self._refuse_member(group)
        self._log.groups.pop(group, None)

    def _refuse_member(self, group: str) -> None:
        if group in self._log.groups and self._log.groups[group].member is not None:
            raise FatalError(f"Group {group} has a member; close it before its positions are changed from outside")
