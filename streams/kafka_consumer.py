"""The consumer on Kafka: a member of a group, or a free reader of named partitions.

A poll that meets a rebalance returns nothing of the lost partitions: librdkafka takes what it has of them out of the
batch, and a test holds it to that.
"""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from confluent_kafka import Consumer as RawConsumer
from confluent_kafka import KafkaError, KafkaException, Message
from confluent_kafka import TopicPartition as RawPartition

from streams.broker import Record, Starts, TopicPartition
from streams.errors import FatalError
from streams.kafka_errors import cause, passes, reading

_SETTINGS = {
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "enable.partition.eof": True,  # where no record comes, the only sign that all is read
    "auto.offset.reset": "error",
    "isolation.level": "read_committed",
    "session.timeout.ms": 6_000,  # the least that brokers allow by default: who stands by takes over in under 10 s
    "heartbeat.interval.ms": 1_500,
    "max.poll.interval.ms": 120_000,
    "queued.max.messages.kbytes": 4_096,
    "fetch.wait.max.ms": 250,  # how late that sign may come, and the first record after a rewind
    "fetch.queue.backoff.ms": 50,  # how long fetching rests once that queue is full; by default a second
}
_FREE_READER = "ballast.free-reader"  # librdkafka wants a name even from who never joins
_new = tuple.__new__  # a NamedTuple's own constructor costs three times as much


class KafkaConsumer:
    """Satisfies `streams.broker.Consumer`."""

    def __init__(self, common: Mapping[str, Any], group: str | None, instance: str | None) -> None:
        self.group = group or _FREE_READER
        settings = {**common, **_SETTINGS, "group.id": self.group}
        if instance is not None:
            settings["group.instance.id"] = instance
        self._raw = RawConsumer(settings)
        self._starts: Starts = lambda _: {}
        self._positions: dict[TopicPartition, int] = {}
        self._mark: dict[TopicPartition, int] = {}
        self._moved_to: dict[TopicPartition, int] = {}
        self._ends: dict[TopicPartition, int] = {}
        self._failure: BaseException | None = None

    def subscribe(self, topics: Sequence[str], starts: Starts) -> None:
        """Join the group at the next polls."""
        self._starts = starts
        self._raw.subscribe(list(topics), on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._revoked)

    def assign(self, positions: Mapping[TopicPartition, int]) -> None:
        """Read these partitions from these offsets."""
        self._move(positions)
        self._mark = dict(self._positions)

    def poll(self, limit: int, timeout: float) -> list[Record]:
        """Return records; raises what `starts` raised, OffsetsLostError, or FatalError."""
        try:
            messages = self._raw.consume(limit, timeout)
        except KafkaException as error:
            raise reading(cause(error)) from error
        except RuntimeError as error:
            raise FatalError("This consumer is closed; make a new one") from error
        if self._failure is not None:
            raise self._failure
        return self._records(messages)

    def assignment(self) -> frozenset[TopicPartition]:
        """Return the partitions read now."""
        return frozenset(self._positions)

    def positions(self) -> Mapping[TopicPartition, int]:
        """Return one past the last record that `poll` returned, for each partition."""
        return dict(self._positions)

    def reached(self, partition: TopicPartition) -> int:
        """Return the offset up to which all is read."""
        read = max(self._positions[partition], self._ends.get(partition, 0))
        if read == self._moved_to[partition]:
            return read  # librdkafka's own position may still be that from before the move
        (passed,) = self._raw.position([RawPartition(*partition)])  # counts the markers too
        return max(read, passed.offset)

    def mark(self) -> None:
        """Remember the positions."""
        self._mark = dict(self._positions)

    def rewind(self) -> None:
        """Return to the mark."""
        self._move(self._mark)

    def close(self) -> None:
        """Leave; a static member keeps its place until the session times out."""
        self._positions = {}
        self._raw.close()

    def metadata(self) -> Any:
        """Return what identifies this member and its generation to the group's coordinator."""
        return self._raw.consumer_group_metadata()

    def _records(self, messages: list[Message]) -> list[Record]:
        records = [
            _new(Record, (m.topic(), m.partition(), m.offset(), m.key(), m.value() or b"", m.timestamp()[1]))
            for m in messages
            if m.error() is None
        ]
        if len(records) < len(messages):
            for message in messages:
                if (error := message.error()) is not None:
                    self._notice(message, error)
        return self._advanced(records)

    def _advanced(self, records: list[Record]) -> list[Record]:
        """Move the positions past the records, and drop what was read before.

        Where a leader's epoch changes, as after a broker's death, librdkafka may fetch what it has delivered again.
        """
        positions, fresh = cast("dict[tuple[str, int], int]", self._positions), []
        for record in records:
            at = (record[0], record[1])
            if record[2] >= positions.get(at, 0):
                positions[at] = record[2] + 1
                fresh.append(record)
        return fresh

    def _notice(self, message: Message, error: KafkaError) -> None:
        if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - librdkafka's own codes start with one
            self._ends[TopicPartition(str(message.topic()), int(message.partition() or 0))] = int(message.offset() or 0)
        elif not passes(error):
            raise reading(error)

    def _assigned(self, _raw: RawConsumer, raw: list[RawPartition]) -> None:
        try:
            self.assign(self._starts([TopicPartition(tp.topic, tp.partition) for tp in raw]))
        except BaseException as error:  # noqa: BLE001 - poll raises it: a callback's exception would be lost
            self._failure = error
            self._raw.assign([])

    def _revoked(self, raw: RawConsumer, _partitions: list[RawPartition]) -> None:
        self._positions, self._mark = {}, {}
        raw.unassign()

    def _move(self, positions: Mapping[TopicPartition, int]) -> None:
        self._positions, self._moved_to, self._ends = dict(positions), dict(positions), {}
        self._raw.assign([RawPartition(tp.topic, tp.partition, offset) for tp, offset in positions.items()])
