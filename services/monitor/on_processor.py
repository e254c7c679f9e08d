"""The monitor on our own processor: sketches in, measures and its state out, in one transaction."""

from collections.abc import Sequence
from typing import NamedTuple

from services.monitor.export import export_measured
from services.monitor.keeper import Keeper
from services.monitor.state import State
from services.stage import Context
from streams.broker import Record
from streams.events import BatchSketched, CollapseMeasured
from streams.metrics import Metrics
from streams.processor import Handled, Input, Limits, Processor, Wiring
from streams.topics import word_of
from streams.writer import Output

WIRING = Wiring("monitor", ("sketch",), ("state",), ("state",))


class Taken(NamedTuple):
    """What a committed batch leaves behind: the state, and the records that it was stored as."""

    state: State
    records: dict[str, bytes]
    measured: tuple[CollapseMeasured, ...]


class Handler:
    """Takes sketches; what another monitor stored meanwhile replaces the state first."""

    def __init__(self, keeper: Keeper, pipeline: str, metrics: Metrics) -> None:
        self._keeper, self._pipeline, self._metrics = keeper, pipeline, metrics

    def fold(self, records: Sequence[Record]) -> None:
        """Take stored records in; the own ones change nothing."""
        self._keeper.fold(records)

    def handle(self, batch: Sequence[Input]) -> Handled:
        """Take a batch of sketches."""
        self._keeper.refresh()
        state, changed, measured = self._keeper.state, frozenset[str](), list[CollapseMeasured]()
        for record, event in batch:
            if isinstance(event, BatchSketched) and word_of(self._pipeline, record.topic) == "sketch":
                step = self._keeper.take(state, event, record.offset)
                state, changed = step.state, changed | step.changed
                measured += step.measured
        records = self._keeper.records(state, changed)
        outputs = [
            *(Output("measure", each.group, each) for each in measured),
            *(Output("state", key, value) for key, value in records.items()),
        ]
        return Handled(outputs, Taken(state, records, tuple(measured)))

    def apply(self, delta: Taken) -> None:
        """Take what is committed as the state."""
        self._keeper.state = delta.state
        self._keeper.stored(delta.records)
        export_measured(self._metrics, delta.measured)


class OnProcessor:
    """The engine `processor`."""

    def __init__(self, context: Context, keeper: Keeper) -> None:
        self._keeper = keeper
        self._processor = Processor(
            broker=context.broker,
            codec=context.codec,
            pipeline=context.pipeline,
            wiring=WIRING,
            slot=context.slot,
            handler=Handler(keeper, context.pipeline, context.metrics),
            limits=Limits(records=50, dead_letters=0),
            now=context.now,
            metrics=context.metrics,
        )

    @property
    def is_active(self) -> bool:
        """Whether this process has the sketches, or stands by."""
        return self._processor.is_assigned

    def start(self) -> None:
        """Fence the predecessor and build the state. Blocks."""
        self._processor.start()

    def step(self) -> int:
        """Take sketches; returns how many."""
        taken = self._processor.step()
        if not taken:  # no sketch brings the state, yet the policy follows from it
            self._processor.catch_up()
            if self.is_active:
                self._keeper.refresh()
        return taken

    def close(self) -> None:
        """Leave."""
        self._processor.close()
