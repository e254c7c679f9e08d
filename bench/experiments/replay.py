"""The stages sketch and monitor without a broker: sketch's own handler, and behind it the monitor's own core."""

from collections.abc import Sequence

from experiments.plays import PARTITIONS
from services.artefact import Artefact
from services.monitor import control
from services.monitor.core import MonitorCore
from services.monitor.decisions import Decisions
from services.monitor.state import Setting, State
from services.monitor.yardstick import Yardstick
from services.sketch.groups import Groups
from services.sketch.handler import Handler
from streams.broker import Record
from streams.codec import Codec
from streams.events import BatchSketched, CollapseMeasured, SampleGenerated, SampleIngested
from streams.processor import Input
from streams.samples import Sample
from streams.stats.sequential import CELL, threshold
from streams.topics import name

_LIMITS = control.Limits(floor=0.05, cap=0.3)
_FALSE_ALARMS = 25_000_000  # documents between two, as a recipe has it that says nothing else
BATCH = 1_000
_PIPELINE = "replay"

Counted = SampleIngested | SampleGenerated


def core(artefact: Artefact, yardstick: Yardstick, *, window: int, sources: int) -> MonitorCore:
    """Return the monitor's core, set as for a recipe with that window and number of sources."""
    setting = Setting(
        partitions=PARTITIONS,
        width=window // CELL // PARTITIONS,
        threshold=threshold(_FALSE_ALARMS, sources + 2),
        limits=_LIMITS,
        artefact=artefact.hash,
        version=artefact.version,
    )
    return MonitorCore(setting, yardstick)


def start() -> State:
    """Return what the monitor knows at first."""
    return State(decisions=Decisions(control=control.start(_LIMITS)))


class Batches:
    """Events as batches of sketch's inputs, in partitions by their sample's id, each at its offset."""

    def __init__(self) -> None:
        self._ends: dict[tuple[str, int], int] = {}

    def of(self, events: Sequence[Counted]) -> list[list[Input]]:
        """Return the next batches."""
        inputs = [Input(self._record(event), event) for event in events]
        return [inputs[begin : begin + BATCH] for begin in range(0, len(inputs), BATCH)]

    def _record(self, event: Counted) -> Record:
        word = "seed" if isinstance(event, SampleIngested) else "generate"
        partition = int(event.sample.sample_id, 16) % PARTITIONS
        offset = self._ends.get((word, partition), 0)
        self._ends[word, partition] = offset + 1
        return Record(name(_PIPELINE, word), partition, offset, b"", b"", 0)


class Sketching:
    """Sketch's handler; what it returns is committed at once."""

    def __init__(self, artefact: Artefact, sources: Sequence[str]) -> None:
        groups = Groups(sources, artefact.tasks)
        self._handler = Handler(
            Codec(), pipeline=_PIPELINE, artefact=artefact, groups=groups, partitions=PARTITIONS, now=lambda: 0
        )

    def take(self, batch: Sequence[Input]) -> list[BatchSketched]:
        """Return the sketches of a batch."""
        handled = self._handler.handle(batch)
        self._handler.apply(handled.delta)
        return [output.event for output in handled.outputs if isinstance(output.event, BatchSketched)]


class Replay:
    """Both stages, one behind the other."""

    def __init__(self, artefact: Artefact, yardstick: Yardstick, *, window: int, sources: Sequence[str]) -> None:
        self._core, self.state = core(artefact, yardstick, window=window, sources=len(sources)), start()
        self._batches, self._sketching, self._sketches = Batches(), Sketching(artefact, sources), 0

    def seeds(self, said: Sequence[Sample]) -> list[CollapseMeasured]:
        """Take human samples; return what the monitor says."""
        return self._take([SampleIngested(event_id=s.sample_id, occurred_at=0, pool="seed", sample=s) for s in said])

    def candidates(self, said: Sequence[Sample]) -> list[CollapseMeasured]:
        """Take generated samples; return what the monitor says."""
        return self._take([SampleGenerated(event_id=s.sample_id, occurred_at=0, sample=s) for s in said])

    def _take(self, events: Sequence[Counted]) -> list[CollapseMeasured]:
        measured: list[CollapseMeasured] = []
        for batch in self._batches.of(events):
            for sketch in self._sketching.take(batch):
                step = self._core.take(self.state, sketch, self._sketches)
                self.state, self._sketches = step.state, self._sketches + 1
                measured += step.measured
        return measured
