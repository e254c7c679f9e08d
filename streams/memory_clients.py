"""The consumer and the producer of the memory broker."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import cast

from streams.broker import Committed, Consumer, Outgoing, Record, Starts, TopicPartition
from streams.errors import AbortableError, FatalError, OffsetsLostError
from streams.memory_log import Identity, Log, Transaction


class MemoryConsumer:
    """Satisfies `streams.broker.Consumer`; a newer member of its group puts it out."""

    def __init__(self, log: Log, group: str | None) -> None:
        self.group = group
        self._log = log
        self._member = object()  # what the group knows this consumer by
        self._joining: Callable[[], Mapping[TopicPartition, int]] | None = None
        self._joined = False
        self._positions: dict[TopicPartition, int] = {}
        self._reached: dict[TopicPartition, int] = {}
        self._mark: dict[TopicPartition, int] = {}
        self._turn = 0
        self._closed = False

    def subscribe(self, topics: Sequence[str], starts: Starts) -> None:
        """Join the group at the next poll."""
        self._joining = lambda: starts(
            [TopicPartition(topic, number) for topic in topics for number in range(self._log.topics.get(topic, 0))]
        )

    def assign(self, positions: Mapping[TopicPartition, int]) -> None:
        """Read these partitions from these offsets."""
        for at in positions:
            self._log.check(at)
        self._mark = dict(positions)
        self.rewind()

    def poll(self, limit: int, timeout: float) -> list[Record]:  # noqa: ARG002 - nothing comes while we wait
        """Return up to `limit` records, from a next partition each time; nothing if there are none now."""
        self._join()
        if self.stale():
            raise FatalError(f"A newer member of group {self.group} took over; start this process again")
        records: list[Record] = []
        order = sorted(self._positions)
        self._turn += 1
        for index in range(len(order)):
            records += self._read(order[(self._turn + index) % len(order)], limit - len(records))
        return records

    def assignment(self) -> frozenset[TopicPartition]:
        """Return the partitions read now."""
        return frozenset(self._positions)

    def positions(self) -> Mapping[TopicPartition, int]:
        """Return one past the last record that `poll` returned, for each partition."""
        return dict(self._positions)

    def reached(self, partition: TopicPartition) -> int:
        """Return the offset up to which all is read."""
        return self._reached[partition]

    def mark(self) -> None:
        """Remember the positions."""
        self._mark = dict(self._positions)

    def rewind(self) -> None:
        """Return to the mark."""
        self._positions, self._reached = dict(self._mark), dict(self._mark)

    def close(self) -> None:
        """Leave the group."""
        if self._joined and not self.stale() and self.group is not None:
            self._log.group(self.group).member = None
        self._closed, self._positions = True, {}

    def stale(self) -> bool:
        """Tell whether this was a member of its group and no longer is."""
        return self._joined and self.group is not None and self._log.group(self.group).member is not self._member

    def _join(self) -> None:
        if self._closed:
            raise FatalError("This consumer is closed; make a new one")
        if self._joining is None or self.group is None:
            return
        joining, self._joining, self._joined = self._joining, None, True
        self._log.group(self.group).member = self._member
        self.assign(joining())

    def _read(self, at: TopicPartition, limit: int) -> list[Record]:
        if self._reached[at] > self._log.stable_end(at):
            raise OffsetsLostError(f"{at.topic} [{at.partition}] has no such offset; say anew where to read from")
        records, self._reached[at] = self._log.read(at, self._reached[at], limit)
        if records:
            self._positions[at] = records[-1].offset + 1
        return records


class MemoryProducer:
    """Satisfies `streams.broker.Producer`; an `init` of the same id elsewhere puts it out."""

    def __init__(self, log: Log, transactional_id: str | None) -> None:
        self._log = log
        self._id = transactional_id
        self._epoch = 0
        self._failed = False

    def init(self) -> None:
        """Take the id over, and abort what its older producer left open."""
        identity = self._identity()
        identity.epoch += 1
        self._epoch, self._failed = identity.epoch, False
        self._log.end(identity, "aborted")

    def begin(self) -> None:
        """Open a transaction."""
        identity = self._current()
        if identity.transaction is not None:
            raise FatalError("A transaction is open already; commit or abort it first")
        identity.transaction = Transaction()

    def send(self, records: Iterable[Outgoing]) -> None:
        """Append records."""
        transaction = None if self._id is None else self._open()
        for record in records:
            self._log.append(record, transaction)

    def send_offsets(self, consumer: Consumer, group: str) -> None:
        """Put the positions into the transaction."""
        transaction, member = self._open(), cast("MemoryConsumer", consumer)
        if group != member.group:
            raise FatalError(f"A consumer of group {member.group} cannot commit for group {group}; correct the caller")
        if member.stale():
            self._failed = True
            raise AbortableError(f"A newer member of group {group} took over; abort the transaction")
        committed = {at: Committed(offset) for at, offset in consumer.positions().items()}
        transaction.offsets.setdefault(group, {}).update(committed)

    def commit(self) -> None:
        """Commit."""
        self._open()
        self._log.end(self._current(), "committed")

    def abort(self) -> None:
        """Abort."""
        self._failed = False
        self._open()
        self._log.end(self._current(), "aborted")

    def flush(self) -> None:
        """Return: all is in the log."""

    def close(self) -> None:
        """Return: an open transaction stays open until the id's next `init`."""

    def _identity(self) -> Identity:
        if self._id is None:
            raise FatalError("This producer has no transactional id; make one with an id")
        return self._log.identity(self._id)

    def _current(self) -> Identity:
        identity = self._identity()
        if self._epoch == 0 or self._epoch != identity.epoch:
            why = "was not initialised" if self._epoch == 0 else "is fenced by a newer one"
            raise FatalError(f"The producer of transactional id {self._id} {why}; start this process again")
        return identity

    def _open(self) -> Transaction:
        transaction = self._current().transaction
        if transaction is None:
            raise FatalError("No transaction is open; begin one first")
        if self._failed:
            raise AbortableError("The transaction has failed; abort it and read its batch again")
        return transaction
