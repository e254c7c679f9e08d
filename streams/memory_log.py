"""What the memory broker keeps: partitions with transactions and markers, groups, transactional ids.

It is all that outlives a process, so the clients hold nothing else that matters.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from streams.broker import Committed, Outgoing, Record, TopicPartition
from streams.errors import FatalError
from streams.murmur2 import partition_of

RECORD_BYTES = 1_000_000  # as Kafka's clients have it


@dataclass(eq=False, slots=True)
class Transaction:
    """The partitions that one transaction wrote to, and the offsets to commit with it."""

    state: Literal["open", "committed", "aborted"] = "open"
    firsts: dict[TopicPartition, int] = field(default_factory=dict)  # the offset of its first record in each
    offsets: dict[str, dict[TopicPartition, Committed]] = field(default_factory=dict)


class Entry(NamedTuple):
    """What lies at one offset: a record, or the marker that ends a transaction."""

    record: Record | None
    transaction: Transaction | None


@dataclass(slots=True)
class Group:
    """A group's positions, and its one member: who joined last."""

    committed: dict[TopicPartition, Committed] = field(default_factory=dict)
    member: object | None = None


@dataclass(slots=True)
class Identity:
    """A transactional id: the epoch of its newest producer, and the transaction that is open."""

    epoch: int = 0
    transaction: Transaction | None = None


class Log:
    """Topics, groups and transactional ids; an entry's index in its partition is its offset."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self.topics: dict[str, int] = {}
        self.groups: dict[str, Group] = {}
        self.identities: dict[str, Identity] = {}
        self._clock = clock
        self._entries: dict[TopicPartition, list[Entry]] = {}
        self._open: dict[TopicPartition, list[Transaction]] = {}
        self._keyless = 0

    def create(self, topic: str, partitions: int) -> None:
        """Create a topic; one that exists is left as it is."""
        for number in range(partitions if topic not in self.topics else 0):
            self._entries[TopicPartition(topic, number)] = []
            self._open[TopicPartition(topic, number)] = []
        self.topics.setdefault(topic, partitions)

    def check(self, at: TopicPartition) -> None:
        """Raise FatalError for a partition that does not exist."""
        if at not in self._entries:
            raise FatalError(f"There is no partition {at.partition} of topic {at.topic}; create the topic first")

    def append(self, new: Outgoing, transaction: Transaction | None) -> None:
        """Append a record; a transaction's stays hidden until it is committed."""
        if len(new.value) + len(new.key or b"") > RECORD_BYTES:
            raise FatalError(f"A record of {len(new.value)} bytes for topic {new.topic} is too big; make it smaller")
        at = TopicPartition(new.topic, self._place(new))
        self.check(at)
        offset = len(self._entries[at])
        if transaction is not None and at not in transaction.firsts:
            transaction.firsts[at] = offset
            self._open[at].append(transaction)
        record = Record(*at, offset, new.key, new.value, self._clock())
        self._entries[at].append(Entry(record, transaction))

    def end(self, identity: Identity, state: Literal["committed", "aborted"]) -> None:
        """End the open transaction, if there is one, with a marker in every partition that it wrote to."""
        transaction, identity.transaction = identity.transaction, None
        if transaction is None:
            return
        transaction.state = state
        for at in transaction.firsts:
            self._open[at].remove(transaction)
            self._entries[at].append(Entry(None, transaction))
        for group, positions in transaction.offsets.items() if state == "committed" else ():
            self.group(group).committed.update(positions)

    def stable_end(self, at: TopicPartition) -> int:
        """Return the offset before which no transaction is open: as far as readers get."""
        self.check(at)
        return min((transaction.firsts[at] for transaction in self._open[at]), default=len(self._entries[at]))

    def read(self, at: TopicPartition, start: int, limit: int) -> tuple[list[Record], int]:
        """Return up to `limit` committed records from an offset on, and the offset up to which all is read."""
        records: list[Record] = []
        for offset in range(start, self.stable_end(at)):
            record, transaction = self._entries[at][offset]
            if record is None or (transaction is not None and transaction.state == "aborted"):
                continue
            if len(records) == limit:
                return records, offset
            records.append(record)
        return records, max(start, self.stable_end(at))

    def group(self, name: str) -> Group:
        """Return a group, made if it is new."""
        return self.groups.setdefault(name, Group())

    def identity(self, name: str) -> Identity:
        """Return a transactional id, made if it is new."""
        return self.identities.setdefault(name, Identity())

    def _place(self, new: Outgoing) -> int:
        if new.partition is not None:
            return new.partition
        partitions = self.topics.get(new.topic, 1)
        if new.key is not None:
            return partition_of(new.key, partitions)
        self._keyless += 1
        return self._keyless % partitions
