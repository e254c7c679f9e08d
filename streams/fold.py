"""Folds topics into a stage's state: reads them from the start up to what is committed now, again and again.

State that can be rebuilt from the log needs no store of its own and can't disagree with it.
"""

from collections.abc import Callable, Mapping, Sequence

from streams.broker import Broker, Record, TopicPartition
from streams.errors import TopicError

Apply = Callable[[Sequence[Record]], None]

_LIMIT = 1_000
_WAIT = 0.01  # a poll waits as long as that unless its limit is reached


class Fold:
    """Delivers every committed record of `topics` to `apply`, in order within a partition, each at least once."""

    def __init__(
        self,
        broker: Broker,
        topics: Sequence[str],
        apply: Apply,
        starts: Mapping[TopicPartition, int] | None = None,
    ) -> None:
        self._broker = broker
        self._apply = apply
        counts = broker.partitions()
        if absent := [topic for topic in topics if topic not in counts]:
            raise TopicError(f"Topic {absent[0]} does not exist; create the pipeline's topics with `ballast topics`")
        self._partitions = [TopicPartition(topic, number) for topic in topics for number in range(counts[topic])]
        self._consumer = broker.consumer()
        first = broker.bounds(self._partitions)
        self._consumer.assign({tp: (starts or {}).get(tp, first[tp][0]) for tp in self._partitions})

    def catch_up(self) -> None:
        """Apply everything that is committed at the moment of the call. Blocks until it is read."""
        ends = self._broker.bounds(self._partitions)
        while any(self._consumer.reached(tp) < ends[tp][1] for tp in self._partitions):
            self._take(_WAIT)

    def advance(self, wait: float = 0.0) -> None:
        """Apply what has already arrived; if there is nothing, wait for up to `wait` seconds."""
        while self._take(wait):
            wait = 0.0

    def positions(self) -> Mapping[TopicPartition, int]:
        """Return for each partition the offset up to which everything is applied."""
        return {tp: self._consumer.reached(tp) for tp in self._partitions}

    def close(self) -> None:
        """Let go of the connection."""
        self._consumer.close()

    def _take(self, wait: float) -> int:
        records = self._consumer.poll(_LIMIT, wait)
        if records:
            self._apply(records)
        return len(records)
