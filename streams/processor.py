"""The exactly-once loop: polls a batch, handles it, and commits outputs, dead letters and offsets as one.

`handle` runs outside the transaction and never changes state; its delta is applied after the commit, so an aborted
batch leaves no trace. State is a fold over committed topics and is complete before anything is handled.
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple, Protocol

from streams.broker import Broker, Outgoing, Record, TopicPartition
from streams.codec import Codec
from streams.deadletter import NOT_THE_RECORDS_FAULT, DeadLetterLimit, dead_letter
from streams.errors import AbortableError, DecodeError, OffsetsLostError
from streams.events import Event
from streams.fold import Fold
from streams.metrics import Metrics
from streams.tail import last_records
from streams.topics import group, identity, name, word_of
from streams.writer import Output, Writer


class Input(NamedTuple):
    """One event with the record that carried it."""

    record: Record
    event: Event


class Handled(NamedTuple):
    """What a batch leads to: events to write, and a change of state to apply once they are committed."""

    outputs: Sequence[Output]
    delta: Any = None


class Handler(Protocol):
    """A stage's own part."""

    def fold(self, records: Sequence[Record]) -> None:
        """Take committed records into the state. Idempotent by id: a stage's own outputs come here too."""

    def handle(self, batch: Sequence[Input]) -> Handled:
        """Decide about a batch without changing state; may be called again with the same records, or some of them.

        An exception is the record's fault, unless it is one of NOT_THE_RECORDS_FAULT: those stop the stage.
        """

    def apply(self, delta: Any) -> None:
        """Take the change of a committed batch into the state. Idempotent by id."""


class Wiring(NamedTuple):
    """What a stage reads and writes, as words of topics; `redo.<stage>` is read beside the inputs."""

    stage: str
    inputs: tuple[str, ...]
    folds: tuple[str, ...]
    outputs: tuple[str, ...]


class Limits(NamedTuple):
    """How much a batch holds: `records` at most, after `seconds` fewer."""

    records: int = 1_000
    seconds: float = 0.25
    dead_letters: int = 100


_LIMITS = Limits()
_new = tuple.__new__


class Processor:
    """Runs one handler as one member of its stage's group."""

    def __init__(
        self,
        *,
        broker: Broker,
        codec: Codec,
        pipeline: str,
        wiring: Wiring,
        slot: int,
        handler: Handler,
        limits: Limits = _LIMITS,
        now: Callable[[], int],
        metrics: Metrics | None = None,
    ) -> None:
        self._broker, self._codec, self._pipeline, self._wiring = broker, codec, pipeline, wiring
        self._handler, self._limits, self._now = handler, limits, now
        self._metrics = metrics or Metrics()
        self._group = group(pipeline, wiring.stage)
        me = identity(pipeline, wiring.stage, slot)
        self._writer = Writer(broker, codec, pipeline, me)
        self._consumer = broker.consumer(self._group, me)
        self._dead_limit = DeadLetterLimit(wiring.stage, limits.dead_letters)
        self._fold: Fold | None = None

    def start(self) -> None:
        """Fence the predecessor, build the state, join the group. Blocks; raises FatalError, OffsetsLostError."""
        self._writer.start()
        self._fold = Fold(self._broker, [name(self._pipeline, w) for w in self._wiring.folds], self._handler.fold)
        self._fold.catch_up()
        inputs = [*self._wiring.inputs, f"redo.{self._wiring.stage}"]
        self._consumer.subscribe([name(self._pipeline, word) for word in inputs], self._starts)

    def step(self) -> int:
        """Handle one batch; returns how many records were committed. Blocks for the poll and the handling."""
        batch = self._consumer.poll(self._limits.records, self._limits.seconds)
        if not batch or self._fold is None:
            return 0
        self._fold.catch_up()  # also after a new assignment: its records may build on another member's outputs
        began = time.monotonic()
        records, delta, dead = self._decide(batch)
        self._metrics.observe("handle_duration_seconds", time.monotonic() - began, self._wiring.stage)
        self._dead_limit.check(dead)
        try:
            self._writer.write([*records, *self._writer.encode(dead)], self._consumer, self._group)
        except AbortableError:
            self._consumer.rewind()
            self._metrics.count("transactions", 1, self._wiring.stage, "aborted")
            return 0
        self._consumer.mark()
        self._handler.apply(delta)
        self._note(batch, records, dead)
        return len(batch)

    def catch_up(self) -> None:
        """Take in what others have committed to the folded topics, without a batch that needs it. Blocks."""
        if self._fold is not None:
            self._fold.catch_up()

    @property
    def is_assigned(self) -> bool:
        """Whether it has a part of the inputs, or waits for one behind the group's other members."""
        return bool(self._consumer.assignment())

    def close(self) -> None:
        """Leave."""
        self._consumer.close()
        self._writer.close()
        if self._fold is not None:
            self._fold.close()

    def _starts(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        """Say where to begin: where the group was, or at the start if the stage has never written anything."""
        committed = self._broker.committed(self._group)
        if not committed and self._has_outputs():
            raise OffsetsLostError(
                f"Group {self._group} has outputs but no offsets, so its next input is unknown; set its offsets with "
                "Kafka's tools to where it was, or start a new pipeline name"
            )
        first = self._broker.bounds(partitions)
        return {tp: committed[tp].offset if tp in committed else first[tp][0] for tp in partitions}

    def _has_outputs(self) -> bool:
        """Look for committed records: an aborted transaction moves a log's end too."""
        return any(last_records(self._broker, name(self._pipeline, word)) for word in self._wiring.outputs)

    def _decide(self, batch: Sequence[Record]) -> tuple[list[Outgoing], Any, list[Output]]:
        inputs, dead = self._decode(batch)
        try:
            outputs, delta = self._handler.handle(inputs)
            return self._writer.encode(outputs), delta, dead
        except NOT_THE_RECORDS_FAULT:
            raise
        except Exception:
            good, raised = self._try_singly(inputs)
            if not raised:  # only together do they fail, so no record is to blame
                raise
        outputs, delta = self._handler.handle(good)
        return self._writer.encode(outputs), delta, [*dead, *raised]

    def _decode(self, batch: Sequence[Record]) -> tuple[list[Input], list[Output]]:
        inputs: list[Input] = []
        dead: list[Output] = []
        decode = self._codec.decode
        for record in batch:
            try:
                inputs.append(_new(Input, (record, decode(record.value))))
            except DecodeError as error:
                dead.append(dead_letter(self._wiring.stage, record, error, self._now()))
        return inputs, dead

    def _try_singly(self, inputs: Sequence[Input]) -> tuple[list[Input], list[Output]]:
        good: list[Input] = []
        dead: list[Output] = []
        for one in inputs:
            try:
                self._writer.encode(self._handler.handle([one]).outputs)
                good.append(one)
            except NOT_THE_RECORDS_FAULT:
                raise
            except Exception as error:  # noqa: BLE001 - whatever a record makes a stage raise is set aside with it
                dead.append(dead_letter(self._wiring.stage, one.record, error, self._now()))
        return good, dead

    def _note(self, batch: Sequence[Record], written: Sequence[Outgoing], dead: Sequence[Output]) -> None:
        stage, pipeline = self._wiring.stage, self._pipeline
        self._dead_limit.note(len(batch), len(dead))
        self._metrics.count("transactions", 1, stage, "committed")
        for topic, count in Counter(map(itemgetter(0), batch)).items():
            self._metrics.count("records_consumed", count, stage, word_of(pipeline, topic))
        for topic, count in Counter(map(itemgetter(0), written)).items():
            self._metrics.count("records_produced", count, stage, word_of(pipeline, topic))
        if dead:
            self._metrics.count("dead_letters", len(dead), stage, "record")
        self._metrics.set("sample_age_seconds", max(0.0, (self._now() - batch[-1].timestamp) / 1000), stage)
