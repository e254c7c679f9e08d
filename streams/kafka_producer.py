"""The producer on Kafka: idempotent, transactional if it has an id.

Records are handed over one by one: `produce_batch` was no faster, since it wants a dictionary for each.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

from confluent_kafka import KafkaError, KafkaException, Message
from confluent_kafka import Producer as RawProducer
from confluent_kafka import TopicPartition as RawPartition

from streams.bounded import Bounded
from streams.broker import Consumer, Outgoing
from streams.errors import FatalError, UnavailableError
from streams.kafka_consumer import KafkaConsumer
from streams.kafka_errors import asking, cause, hung, writing

_SETTINGS = {
    "enable.idempotence": True,
    "partitioner": "murmur2_random",
    "linger.ms": 20,
    "retry.backoff.ms": 5,  # a transaction's first call meets the end of the one before for some milliseconds
    "compression.type": "lz4",
    "delivery.report.only.error": True,
}
_TRANSACTION_SECONDS = 15.0
_GRACE_SECONDS = 3.0  # how long a call may outlast its own time-out before its client is given up
_ROOM_SECONDS = 0.05
_ANY = -1  # the partitioner decides


class KafkaProducer:
    """Satisfies `streams.broker.Producer`."""

    def __init__(self, common: Mapping[str, Any], transactional_id: str | None, timeout: float) -> None:
        settings: dict[str, Any] = {**common, **_SETTINGS}
        if transactional_id is None:
            settings["delivery.timeout.ms"] = int(timeout * 1000)
        else:
            settings["transactional.id"] = transactional_id
            settings["transaction.timeout.ms"] = int(_TRANSACTION_SECONDS * 1000)
        self._raw = RawProducer(settings)
        self._bootstrap = str(common["bootstrap.servers"])
        self._timeout = timeout
        # A transaction's commit tells of failed records by itself, and a callback costs time for each record.
        self._report = self._failed if transactional_id is None else None
        self._failure: KafkaError | None = None
        self._bounded = Bounded()

    def init(self) -> None:
        """Fence older producers of the id; raises UnavailableError if no broker answers in time."""
        try:
            self._bounded.call(self._timeout + _GRACE_SECONDS, self._raw.init_transactions, self._timeout)
        except TimeoutError as error:
            raise hung("Claiming the transactional id", error) from error
        except KafkaException as error:
            what, found = "Claiming the transactional id", cause(error)
            raise (writing(found, what) if found.fatal() else asking(found, what, self._bootstrap)) from error

    def begin(self) -> None:
        """Open a transaction."""
        self._call("Opening a transaction", self._raw.begin_transaction)

    def send(self, records: Iterable[Outgoing]) -> None:
        """Hand over records; blocks while librdkafka's queue is full."""
        produce, report = self._raw.produce, self._report
        for topic, key, value, partition in records:
            where = _ANY if partition is None else partition
            while True:
                try:
                    produce(topic, value, key, where, report)
                    break
                except BufferError:
                    self._serve(_ROOM_SECONDS)
                except KafkaException as error:
                    raise writing(cause(error), f"Writing {len(value)} bytes to {topic}") from error
        self._serve(0)

    def send_offsets(self, consumer: Consumer, group: str) -> None:
        """Put the positions into the transaction, with the group metadata that a stale member is known by."""
        member = cast("KafkaConsumer", consumer)
        if group != member.group:
            raise FatalError(f"A consumer of group {member.group} cannot commit for group {group}; correct the caller")
        raw = [RawPartition(tp.topic, tp.partition, offset) for tp, offset in consumer.positions().items()]
        self._call(
            "Sending offsets", self._raw.send_offsets_to_transaction, raw, member.metadata(), _TRANSACTION_SECONDS
        )

    def commit(self) -> None:
        """Commit, within the transaction's timeout."""
        self._call("Committing a transaction", self._raw.commit_transaction, _TRANSACTION_SECONDS)

    def abort(self) -> None:
        """Abort, within the transaction's timeout."""
        self._call("Aborting a transaction", self._raw.abort_transaction, _TRANSACTION_SECONDS)

    def flush(self) -> None:
        """Wait until all records are acknowledged; raises if one was not, UnavailableError if no broker answers."""
        left = self._call("Flushing", self._raw.flush, self._timeout + 1.0)
        failure, self._failure = self._failure, None
        if failure is not None:
            raise asking(failure, "Writing", self._bootstrap)
        if left:
            raise UnavailableError(f"{left} records are not acknowledged by Kafka at {self._bootstrap}; see its log")

    def close(self) -> None:
        """Drop what is not acknowledged; an open transaction stays open until its timeout or the id's next `init`."""
        self._raw.purge()
        del self._raw  # its own close would try to abort, and wait

    def _serve(self, seconds: float) -> None:
        """Let librdkafka report: that this producer is fenced may come out here, too."""
        try:
            self._raw.poll(seconds)
        except KafkaException as error:
            raise writing(cause(error), "Writing") from error

    def _failed(self, error: KafkaError | None, _message: Message) -> None:
        self._failure = self._failure or error

    def _call(self, name: str, call: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return self._bounded.call(_TRANSACTION_SECONDS + _GRACE_SECONDS, call, *arguments)
        except TimeoutError as error:
            raise hung(name, error) from error
        except KafkaException as error:
            raise writing(cause(error), name) from error
