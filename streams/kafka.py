"""The broker on Apache Kafka, by librdkafka; with `kafka_*` beside it the only importer of confluent_kafka.

librdkafka reconnects by itself; what reaches us is triaged in `streams.kafka_errors`.
"""

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, TypeVar

from confluent_kafka import Consumer as RawConsumer
from confluent_kafka import ConsumerGroupTopicPartitions, IsolationLevel, KafkaError, KafkaException
from confluent_kafka import TopicPartition as RawPartition
from confluent_kafka.admin import AdminClient, OffsetSpec, TopicMetadata
from confluent_kafka.admin import NewTopic as RawTopic

from streams.broker import Committed, NewTopic, TopicPartition
from streams.errors import UnavailableError
from streams.kafka_consumer import KafkaConsumer
from streams.kafka_errors import asking, cause, passes
from streams.kafka_producer import KafkaProducer

_LOG = logging.getLogger(__name__)
_LOG.addHandler(logging.NullHandler())  # else librdkafka's lines reach the stderr of who configured no logging
_UNSTABLE_SECONDS = 40.0  # a dead producer's transaction: 15 s until it times out, up to 10 s until that is seen
_PAUSE = 0.05

T = TypeVar("T")


class KafkaBroker:
    """Satisfies `streams.broker.Broker`; a call that no broker answers raises UnavailableError after `timeout` s."""

    def __init__(self, bootstrap: str, timeout: float = 15.0) -> None:
        self.bootstrap = bootstrap
        self._timeout = timeout
        self._common: dict[str, Any] = {
            "bootstrap.servers": bootstrap,
            "reconnect.backoff.max.ms": 1_000,  # a restarted broker is found within a second
            "log_level": 4,
            "logger": _LOG,
        }
        self._admin = AdminClient(self._common)

    def consumer(self, group: str | None = None, instance: str | None = None) -> KafkaConsumer:
        """Return a consumer; does not block."""
        return KafkaConsumer(self._common, group, instance)

    def producer(self, transactional_id: str | None = None) -> KafkaProducer:
        """Return a producer; does not block."""
        return KafkaProducer(self._common, transactional_id, self._timeout)

    def create(self, topics: Iterable[NewTopic]) -> None:
        """Create topics; one that exists is left as it is."""
        raw = [RawTopic(t.name, num_partitions=t.partitions, config=dict(t.config)) for t in topics]

        def call() -> None:
            for future in self._admin.create_topics(raw, request_timeout=self._timeout).values():
                self._wait(future, fine=KafkaError.TOPIC_ALREADY_EXISTS)
            there = self._admin.list_topics(timeout=self._timeout).topics
            if not all(t.topic in there and _has_leaders(there[t.topic]) for t in raw):
                raise KafkaException(KafkaError(KafkaError.LEADER_NOT_AVAILABLE))  # it is about to be

        if raw:
            self._ask("Creating topics", call)

    def partitions(self) -> Mapping[str, int]:
        """Return the partition count of every topic but Kafka's own."""
        topics = self._ask("Listing topics", lambda: self._admin.list_topics(timeout=self._timeout)).topics
        return {name: len(topic.partitions) for name, topic in topics.items() if not name.startswith("__")}

    def bounds(self, partitions: Iterable[TopicPartition]) -> Mapping[TopicPartition, tuple[int, int]]:
        """Return (first offset, end of the log), by two requests whatever the number of partitions."""
        raw = [RawPartition(*tp) for tp in dict.fromkeys(partitions)]
        if not raw:
            return {}
        low, high = self._offsets(raw, OffsetSpec.earliest()), self._offsets(raw, OffsetSpec.latest())
        return {tp: (low[tp], high[tp]) for tp in low}

    def committed(self, group: str) -> Mapping[TopicPartition, Committed]:
        """Return a group's positions; waits while an open transaction may still change them.

        Every partition is named: asked for all, the coordinator leaves out those whose first commit is under way.
        """
        named = [RawPartition(topic, number) for topic, count in self.partitions().items() for number in range(count)]
        # By a consumer that joins nothing: a coordinator that is not ready crashes librdkafka if an admin client asks.
        asker = RawConsumer({**self._common, "group.id": group, "isolation.level": "read_committed"})

        def call() -> list[RawPartition]:
            return _sound(asker.committed(named, timeout=self._timeout))

        try:
            found = self._ask(f"Asking for the positions of group {group}", call)
        finally:
            asker.close()
        known = [tp for tp in found if tp.offset >= 0]
        return {TopicPartition(tp.topic, tp.partition): Committed(tp.offset, tp.metadata or "") for tp in known}

    def commit(self, group: str, positions: Mapping[TopicPartition, Committed]) -> None:
        """Set a group's positions; FatalError if it has members."""
        raw = [RawPartition(tp.topic, tp.partition, at.offset, at.metadata) for tp, at in positions.items()]
        request = [ConsumerGroupTopicPartitions(group, raw)]

        def call() -> None:
            asked = self._admin.alter_consumer_group_offsets(request, request_timeout=self._timeout)
            _sound(self._wait(asked[group]).topic_partitions)

        if raw:
            self._ask(f"Setting the positions of group {group}", call)

    def groups(self, prefix: str) -> Sequence[str]:
        """Return the names of the groups that start so, sorted."""

        def call() -> list[str]:
            listed = self._wait(self._admin.list_consumer_groups(request_timeout=self._timeout))
            for error in listed.errors:  # one for each node that did not answer
                raise KafkaException(error)
            return [group.group_id for group in listed.valid]

        return sorted(name for name in self._ask("Listing groups", call) if name.startswith(prefix))

    def forget(self, group: str) -> None:
        """Delete a group's positions; FatalError if it has members."""

        def call() -> None:
            asked = self._admin.delete_consumer_groups([group], request_timeout=self._timeout)
            self._wait(asked[group], fine=KafkaError.GROUP_ID_NOT_FOUND)

        self._ask(f"Forgetting group {group}", call)

    def _offsets(self, raw: Sequence[RawPartition], spec: OffsetSpec) -> dict[TopicPartition, int]:
        def call() -> dict[TopicPartition, int]:
            # Not of the committed alone: a commit returns before its markers lie in every partition.
            asked = self._admin.list_offsets(
                dict.fromkeys(raw, spec),
                isolation_level=IsolationLevel.READ_UNCOMMITTED,
                request_timeout=self._timeout,
            )
            return {TopicPartition(tp.topic, tp.partition): self._wait(at).offset for tp, at in asked.items()}

        return self._ask(f"Asking for the offsets of {raw[0].topic}", call)

    def _ask(self, what: str, call: Callable[[], T]) -> T:
        """Repeat what fails for now, as it does while a new topic becomes known, until the time is over."""
        start = time.monotonic()
        while True:
            try:
                return call()
            except TimeoutError as error:
                raise UnavailableError(f"{what}: no answer from Kafka at {self.bootstrap}; see its log") from error
            except KafkaException as error:
                found = cause(error)
                unstable = found.code() == KafkaError.UNSTABLE_OFFSET_COMMIT
                limit = _UNSTABLE_SECONDS if unstable else self._timeout
                if not passes(found) or time.monotonic() - start > limit:
                    raise asking(found, what, self.bootstrap) from error
            time.sleep(_PAUSE)

    def _wait(self, future: Future[Any], fine: int | None = None) -> Any:
        """Return the answer, or None for the one error that is fine."""
        try:
            return future.result(self._timeout + 1.0)
        except KafkaException as error:
            if cause(error).code() != fine:
                raise
            return None


def _has_leaders(topic: TopicMetadata) -> bool:
    return topic.error is None and all(partition.leader >= 0 for partition in topic.partitions.values())


def _sound(partitions: list[RawPartition]) -> list[RawPartition]:
    """Return the partitions of an answer; raises the first error among them."""
    for partition in partitions:
        if partition.error:
            raise KafkaException(partition.error)
    return partitions
