"""What trainers import: the batches of `mix` in order, 0, 1, 2 and so on, from any point on.

A batch lies whole in partition batch_index mod P, so reading is a round robin. Progress is committed for the mixer's
backpressure only; where to resume is the trainer's own state, saved with its checkpoint.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, TypedDict

from streams.broker import Broker, Committed, Consumer, Record, TopicPartition
from streams.codec import Codec
from streams.errors import DecodeError
from streams.events import SampleMixed
from streams.topics import name

_WAIT = 0.05
_CHUNK = 2_000
_COMMIT_SECONDS = 0.5


class State(TypedDict):
    """Where to go on: the sample at `position` of batch `batch_index` comes next."""

    batch_index: int
    position: int


class Batch(NamedTuple):
    """One training batch."""

    batch_index: int
    samples: Sequence[SampleMixed]


class Dataset:
    """Consumer `consumer` of `consumers` takes the batches with batch_index mod consumers = consumer.

    Iterating waits for batches to come and ends when `stopping` says so. Iterate over samples or over `batches()`;
    `state_dict` and `load_state_dict` follow torchdata's protocol for stateful loaders. Not safe for several threads.
    """

    def __init__(
        self,
        broker: Broker,
        codec: Codec,
        pipeline: str,
        *,
        trainer: str,
        consumer: int = 0,
        consumers: int = 1,
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self._broker, self._codec = broker, codec
        self._topic = name(pipeline, "mix")
        rank = f".{consumer}-of-{consumers}" if consumers > 1 else ""
        self._group = f"{pipeline}.trainer.{trainer}{rank}"
        self._step = consumers
        self._stopping = stopping
        self._partitions = broker.partitions()[self._topic]
        self._readers: dict[int, _Reader] = {}
        self._begun: tuple[int, list[Record]] = (-1, [])  # the batch in hand, for who stops in it and comes again
        self._state = State(batch_index=consumer, position=0)
        self._committed_at = float("-inf")
        self._commit()

    def state_dict(self) -> State:
        """Return where to go on; save it with the model's checkpoint."""
        return State(**self._state)

    def load_state_dict(self, state: State) -> None:
        """Go on from a saved state."""
        self._drop_readers()
        self._state = State(**state)
        self._commit()

    def batches(self) -> Iterator[Batch]:
        """Yield whole batches; the first is the rest of one that was begun."""
        while (records := self._next_batch()) is not None:
            index, first = self._state["batch_index"], self._state["position"]
            samples = [self._decoded(record) for record in records[first:]]
            self._advance(index)
            yield Batch(index, samples)

    def __iter__(self) -> Iterator[SampleMixed]:
        """Yield one sample after the other."""
        while (records := self._next_batch()) is not None:
            index = self._state["batch_index"]
            for record in records[self._state["position"] :]:
                self._state["position"] += 1
                if self._state["position"] == len(records):
                    self._advance(index)
                yield self._decoded(record)

    def close(self) -> None:
        """Tell the mixer how far this trainer is, and let go of connections."""
        self._commit()
        self._drop_readers()

    def _drop_readers(self) -> None:
        for reader in self._readers.values():
            reader.close()
        self._readers.clear()
        self._begun = (-1, [])

    def _advance(self, index: int) -> None:
        self._state = State(batch_index=index + self._step, position=0)
        if time.monotonic() - self._committed_at > _COMMIT_SECONDS:
            self._commit()

    def _next_batch(self) -> list[Record] | None:
        """Wait for the batch that comes next; None when it is time to stop."""
        index = self._state["batch_index"]
        if self._begun[0] == index:
            return self._begun[1]
        number = index % self._partitions
        if number not in self._readers:
            self._readers[number] = _Reader(self._broker, TopicPartition(self._topic, number), index)
        reader = self._readers[number]
        while not self._stopping():
            if records := reader.batch(index, self._size):
                self._begun = (index, records)
                return records
        return None

    def _size(self, record: Record) -> int:
        return self._decoded(record).batch_size

    def _decoded(self, record: Record) -> SampleMixed:
        event = self._codec.decode(record.value)
        if not isinstance(event, SampleMixed):
            raise DecodeError(f"{record.topic} has a {type(event).__name__} at {record.partition}/{record.offset}")
        return event

    def _commit(self) -> None:
        """Tell the mixer which batch is wanted next."""
        mark = Committed(0, str(self._state["batch_index"]))
        self._broker.commit(self._group, {TopicPartition(self._topic, 0): mark})
        self._committed_at = time.monotonic()


class _Reader:
    """Reads one partition of `mix` forward, batch by batch."""

    def __init__(self, broker: Broker, partition: TopicPartition, batch_index: int) -> None:
        self._consumer = broker.consumer()
        first, end = broker.bounds([partition])[partition]
        start = _find(self._consumer, partition, first, end, batch_index)
        self._consumer.assign({partition: start})
        self._buffer: list[Record] = []

    def batch(self, index: int, size_of: Callable[[Record], int]) -> list[Record]:
        """Return the whole batch, or nothing after a short wait; what is before it is skipped by key."""
        key = str(index).encode()
        self._buffer = _from(self._buffer, index)
        if not self._buffer or len(self._buffer) < (size := size_of(self._buffer[0])):
            self._buffer += self._consumer.poll(_CHUNK, _WAIT)
            return []
        batch, self._buffer = self._buffer[:size], self._buffer[size:]
        if batch[-1].key != key:
            raise DecodeError(f"batch {index} of {batch[0].topic} is not whole; run `ballast audit`")
        return batch

    def close(self) -> None:
        self._consumer.close()


def _from(records: list[Record], index: int) -> list[Record]:
    """Drop what is before the batch."""
    for place, record in enumerate(records):
        if int(record.key or b"-1") >= index:
            return records[place:] if place else records
    return []


def _find(consumer: Consumer, partition: TopicPartition, first: int, end: int, index: int) -> int:
    """Return an offset at or before the first record of the batch: batches lie in order, so halve the range."""
    while end - first > _CHUNK:
        middle = (first + end) // 2
        consumer.assign({partition: middle})
        records: list[Record] = []
        while not records and consumer.reached(partition) < end:
            records = consumer.poll(1, _WAIT)
        if records and int(records[0].key or b"-1") < index:
            first = middle
        else:
            end = middle
    return first
