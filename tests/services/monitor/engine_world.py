"""A log of sketches made once, and the monitor's engines on a real broker to read it."""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from made_up import NOW, event_of, samples

from services import artefact
from services.artefact import Artefact
from services.monitor import control
from services.monitor.control import Limits
from services.monitor.core import MonitorCore
from services.monitor.decisions import Decisions
from services.monitor.keeper import Keeper
from services.monitor.on_faust import OnFaust
from services.monitor.on_processor import OnProcessor
from services.monitor.service import Engine
from services.monitor.state import Setting, State
from services.monitor.yardstick import Yardstick, human_documents
from services.recipe import Recipe, parse
from services.sketch.groups import Groups
from services.sketch.handler import Handler
from services.stage import Context
from streams.broker import Broker, Outgoing, Record
from streams.codec import Codec
from streams.events import BatchSketched, CollapseMeasured
from streams.fold import Fold
from streams.kafka import KafkaBroker
from streams.metrics import Metrics
from streams.processor import Input
from streams.samples import Sample
from streams.stats.novelty import MEMORY
from streams.topics import ensure, name

CODEC = Codec()
PARTITIONS = 4
WINDOW = 100
LIMITS = Limits(0.05, 0.3)
START = Decisions(control=control.start(LIMITS))
ENGINES: dict[str, Callable[[Context, Keeper], Engine]] = {"faust": OnFaust, "processor": OnProcessor}
_PATIENCE = 60.0


def recipe(pipeline: str, engine: str = "faust", **monitor: Any) -> Recipe:
    return parse(
        {
            "pipeline": pipeline,
            "seeds": {"path": "x", "licence": "cc0"},
            "sources": [{"name": "tri", "provider": "local", "family": "ngram-3"}],
            "generate": {"target": 1},
            "monitor": {"engine": engine, "window": WINDOW, **monitor},
        },
        "test",
    )


class Built(NamedTuple):
    artefact: Artefact
    core: MonitorCore
    setting: Setting


@cache
def built() -> Built:
    fitted = artefact.build(1, samples("fit", 120))
    setting = Setting(partitions=PARTITIONS, width=1, threshold=1e4, limits=LIMITS, artefact=fitted.hash, version=1)
    yardstick = Yardstick(human_documents(fitted, samples("calibrate", 450), 40), WINDOW)
    return Built(fitted, MonitorCore(setting, yardstick), setting)


class Sketcher:
    """The sketch stage's own handler over batches that lie spread over the partitions."""

    def __init__(self) -> None:
        fitted = built().artefact
        groups = Groups(["tri"], fitted.tasks)
        self._handler = Handler(
            CODEC, pipeline="p", artefact=fitted, groups=groups, partitions=PARTITIONS, now=lambda: NOW
        )
        self._ends: dict[tuple[str, int], int] = {}

    def sketch(self, word: str, batch: Sequence[Sample]) -> list[BatchSketched]:
        inputs = []
        for number, one in enumerate(batch):
            place = (word, number % PARTITIONS)
            offset = self._ends.get(place, 0)
            self._ends[place] = offset + 1
            inputs.append(Input(Record(name("p", word), place[1], offset, None, b"", NOW), event_of(word, one)))
        handled = self._handler.handle(inputs)
        self._handler.apply(handled.delta)
        return [each.event for each in handled.outputs if isinstance(each.event, BatchSketched)]


@cache
def ghosts() -> tuple[tuple[BatchSketched, ...], ...]:
    """Return batches of sketches in the same places as the first of `sketches`, of other documents."""
    sketcher = Sketcher()
    first = [sketcher.sketch("seed", samples(f"ghost{n}", 200, words=40)) for n in range(2)]
    later = [sketcher.sketch("generate", samples(f"ghost{n}", 250, words=40, source="tri")) for n in range(2, 8)]
    return tuple(tuple(batch) for batch in [*first, *later])


@cache
def sketches() -> tuple[tuple[BatchSketched, ...], ...]:
    """Return batches of sketches: seeds, a source that is admitted and then collapses."""
    sketcher = Sketcher()
    said = [*samples("healthy", MEMORY + 2_300, source="tri"), *samples("collapsed", 700, words=40, source="tri")]
    human = samples("seeds", 400)
    batches = [sketcher.sketch("seed", human[at : at + 200]) for at in range(0, len(human), 200)]
    batches += [sketcher.sketch("generate", said[at : at + 250]) for at in range(0, len(said), 250)]
    return tuple(tuple(batch) for batch in batches)


def frames(batches: Sequence[Sequence[BatchSketched]]) -> list[list[bytes]]:
    return [[CODEC.encode(event) for event in batch] for batch in batches]


def write(
    broker: Broker, pipeline: str, batches: Sequence[Sequence[bytes]], aborted: Sequence[Sequence[bytes]] = ()
) -> None:
    """Write each batch in a transaction, as the sketch stage does, and before each an aborted one, if there are any."""
    producer = broker.producer(f"{pipeline}.sketch-0")
    producer.init()
    for number, batch in enumerate(batches):
        for records, end in ((aborted[number : number + 1], producer.abort), ([batch], producer.commit)):
            for frames_ in records:
                producer.begin()
                producer.send(Outgoing(name(pipeline, "sketch"), b"", frame) for frame in frames_)
                producer.flush()  # an aborted record must have reached the log
                end()
    producer.close()


def read(broker: Broker, pipeline: str, word: str) -> list[Record]:
    found: list[Record] = []
    fold = Fold(broker, [name(pipeline, word)], found.extend)
    fold.catch_up()
    fold.close()
    return found


def measures(broker: Broker, pipeline: str) -> dict[str, CollapseMeasured]:
    """Return what the topic says by event_id; a repeat says the same as the first."""
    found: dict[str, CollapseMeasured] = {}
    for record in read(broker, pipeline, "measure"):
        event = CODEC.decode(record.value)
        assert isinstance(event, CollapseMeasured)
        assert found.setdefault(event.event_id, event) == event
    return found


def state(broker: Broker, pipeline: str) -> dict[str, bytes]:
    """Return the newest record of each key."""
    return {(record.key or b"").decode(): record.value for record in read(broker, pipeline, "state")}


class Running(NamedTuple):
    engine: Any
    keeper: Keeper
    context: Context

    def until(self, condition: Callable[[], bool]) -> None:
        """Step until a condition holds."""
        deadline = time.monotonic() + _PATIENCE
        while not condition():
            assert time.monotonic() < deadline, f"after {_PATIENCE} s at sketch {self.keeper.state.offset}"
            self.engine.step()

    def until_stored(self) -> None:
        """Step until everything in the log is taken and stored."""
        self.until(lambda: all_is_stored(self.context.broker, self.context.pipeline))


def all_is_stored(broker: Broker, pipeline: str, last: int | None = None) -> bool:
    """Tell whether the stored state reaches to the last sketch, or to the one at this offset and no further."""
    if last is None:
        last = read(broker, pipeline, "sketch")[-1].offset
    guard = state(broker, pipeline).get("guard")
    return guard is not None and json.loads(guard)["offset"] == last


def context(broker: Broker, pipeline: str, slot: int = 0, engine: str = "faust", **monitor: Any) -> Context:
    return Context(
        recipe=recipe(pipeline, engine, **monitor),
        broker=broker,
        codec=CODEC,
        slot=slot,
        now=lambda: time.time_ns() // 1_000_000,
        metrics=Metrics(),
        spools=Path("/nonexistent"),
    )


def engine(kind: str, broker: Broker, pipeline: str, slot: int = 0) -> Running:
    parts = context(broker, pipeline, slot, kind)
    keeper = Keeper(parts, built().core, built().setting, START)
    return Running(ENGINES[kind](parts, keeper), keeper, parts)


@contextmanager
def running(kind: str, broker: Broker, pipeline: str, slot: int = 0) -> Iterator[Running]:
    one = engine(kind, broker, pipeline, slot)
    try:
        one.engine.start()
        yield one
    finally:
        one.engine.close()


def made(bootstrap: str, pipeline: str) -> KafkaBroker:
    broker = KafkaBroker(bootstrap)
    ensure(broker, pipeline)
    return broker


@cache
def _of_each_batch() -> list[tuple[CollapseMeasured, ...]]:
    found = []
    now, offset = State(decisions=START), 0
    for batch in sketches():
        said: tuple[CollapseMeasured, ...] = ()
        for event in batch:
            step = built().core.take(now, event, offset)
            now, offset, said = step.state, offset + 1, (*said, *step.measured)
        found.append(said)
    return found


def by_the_core(batches: int | None = None) -> dict[str, CollapseMeasured]:
    """Return what the pure core measures in the first batches, without its place in a log."""
    return anywhere({each.event_id: each for said in _of_each_batch()[:batches] for each in said})


def anywhere(found: Mapping[str, CollapseMeasured]) -> dict[str, CollapseMeasured]:
    """Leave out where in the log of sketches a measure was made: logs differ by their markers."""
    return {key: replace(each, last_offset=0) for key, each in found.items()}
