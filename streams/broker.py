"""What Ballast asks of a broker: `kafka` and `memory` keep the same promises under one contract suite.

Methods may block for seconds unless they say otherwise; a failure is a BrokerError of `streams.errors`,
or UnavailableError if no broker answers, or OffsetsLostError if there is no such offset to read from.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol


class TopicPartition(NamedTuple):
    """One partition of one topic."""

    topic: str
    partition: int


class Record(NamedTuple):
    """One committed record as it lies in the log; `timestamp` in UTC milliseconds."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes
    timestamp: int


class Outgoing(NamedTuple):
    """One record to be written; without a partition the key's murmur2 hash decides."""

    topic: str
    key: bytes | None
    value: bytes
    partition: int | None = None


class Committed(NamedTuple):
    """A group's committed position, with the text that was committed beside it."""

    offset: int
    metadata: str = ""


class NewTopic(NamedTuple):
    """A topic to create."""

    name: str
    partitions: int
    config: Mapping[str, str]


Starts = Callable[[Sequence[TopicPartition]], Mapping[TopicPartition, int]]


class Consumer(Protocol):
    """Reads committed records only. Not safe for use by several threads."""

    def subscribe(self, topics: Sequence[str], starts: Starts) -> None:
        """Join the group; `starts` is called inside `poll` with each new assignment and says where to read from."""

    def assign(self, positions: Mapping[TopicPartition, int]) -> None:
        """Read these partitions from these offsets, outside of any group."""

    def poll(self, limit: int, timeout: float) -> list[Record]:
        """Return up to `limit` records after at most `timeout` seconds; none of a partition lost meanwhile."""

    def assignment(self) -> frozenset[TopicPartition]:
        """Return the partitions that are read now. Does not block."""

    def positions(self) -> Mapping[TopicPartition, int]:
        """Return, for each partition read, one past the last record that `poll` returned. Does not block."""

    def reached(self, partition: TopicPartition) -> int:
        """Return the offset up to which all is read, markers and aborted records included. Does not block."""

    def mark(self) -> None:
        """Remember the positions: `rewind` comes back to here. Does not block."""

    def rewind(self) -> None:
        """Return to the last mark, or the start of the assignment; the next `poll` reads the same records again."""

    def close(self) -> None:
        """Leave. A static member keeps its place in the group until the session times out."""


class Producer(Protocol):
    """Writes records: in transactions if it was made with a transactional id, else idempotent and at once."""

    def init(self) -> None:
        """Fence every older producer of the same transactional id and resolve its open transaction."""

    def begin(self) -> None:
        """Open a transaction."""

    def send(self, records: Iterable[Outgoing]) -> None:
        """Hand over records; an error may come with a later call. Blocks while the buffer is full."""

    def send_offsets(self, consumer: Consumer, group: str) -> None:
        """Put the consumer's positions into the transaction; a stale member of the group gets AbortableError."""

    def commit(self) -> None:
        """Commit: all of the transaction becomes visible, maybe a moment later; or FatalError/AbortableError."""

    def abort(self) -> None:
        """Abort: nothing of the transaction becomes visible to readers of committed records."""

    def flush(self) -> None:
        """Wait until every record sent outside a transaction is acknowledged, or raise."""

    def close(self) -> None:
        """Let go of connections without waiting for records that are not acknowledged."""


class Broker(Protocol):
    """Makes consumers and producers, and answers questions about topics and groups."""

    def consumer(self, group: str | None = None, instance: str | None = None) -> Consumer:
        """Return a consumer: a member of `group`, or a free reader."""

    def producer(self, transactional_id: str | None = None) -> Producer:
        """Return a producer."""

    def create(self, topics: Iterable[NewTopic]) -> None:
        """Create topics; one that exists is left as it is."""

    def partitions(self) -> Mapping[str, int]:
        """Return the partition count of every topic."""

    def bounds(self, partitions: Iterable[TopicPartition]) -> Mapping[TopicPartition, tuple[int, int]]:
        """Return (first offset, end) of each partition: all that was committed before this call lies before the end.

        A reader reaches the end, at the latest when every transaction that is open now has ended.
        """

    def committed(self, group: str) -> Mapping[TopicPartition, Committed]:
        """Return a group's committed positions; empty for a group that does not exist."""

    def commit(self, group: str, positions: Mapping[TopicPartition, Committed]) -> None:
        """Set a group's positions from outside; the group must have no members."""

    def groups(self, prefix: str) -> Sequence[str]:
        """Return the names of the groups that start so, sorted."""

    def forget(self, group: str) -> None:
        """Delete a group's positions; a group that does not exist is left alone."""
