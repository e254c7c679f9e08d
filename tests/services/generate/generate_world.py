"""Slots of generate on the memory broker, with a vendor that keeps books of its own and a verifier of a few lines."""

import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

from crashing import Crash, CrashingBroker
from pydantic import SecretStr

from services.generate.candidate import PURPOSE
from services.generate.service import Generator, build
from services.models.provider import Answer, Model, Provider, RefusedError, Request
from services.recipe import Recipe, parse
from services.stage import Context
from streams.broker import Outgoing, Record
from streams.codec import Codec
from streams.events import (
    DeadLetter,
    Event,
    MixPolicySet,
    ModelAnswered,
    ReviewRequested,
    SampleGenerated,
    SampleIngested,
    SampleMixed,
    SampleRejected,
    SampleVerified,
)
from streams.fold import Fold
from streams.memory import MemoryBroker
from streams.metrics import Metrics
from streams.parts import OPEN_END, Choice, SourceRange
from streams.samples import Lineage, Sample, Turn, digest
from streams.topics import ensure, name

CODEC = Codec()


STUB = {"provider": "openai", "model": "stub-1"}


def recipe(
    *, sources: Any = None, task: str = "text", pipeline: str = "p", concurrency: int = 4, **generate: Any
) -> Recipe:
    return parse(
        {
            "pipeline": pipeline,
            "task": task,
            "seeds": {"path": "x", "licence": "public-domain"},
            "sources": sources or [{**STUB, "name": "a", "family": "a", "concurrency": concurrency}],
            "generate": {"target": 20, "over_generate": 4, "max_tokens": 12, **generate},
        },
        "test",
    )


class Vendor:
    """A stub provider whose ledger counts what was bought; `behave` may raise for a request."""

    def __init__(self, behave: Callable[[Request], None] = lambda _: None, *, inline: bool = False) -> None:
        self.inline = inline
        self.bought: Counter[int] = Counter()
        self.keys: set[str] = set()
        self._behave = behave
        self._lock = threading.Lock()

    def model(self) -> Model:
        return Model("stub-1", 0)

    def answer(self, request: Request) -> Answer:
        self._behave(request)
        with self._lock:
            self.bought[request.call_index] += 1
            self.keys.add(request.request_key)
        return Answer((Choice(text=f"text {request.call_index}"),), 3, 4, 0.5)


class World:
    """The log, the clock, and whoever else reads and writes."""

    _open: ClassVar[list["World"]] = []

    def __init__(self, settings: Recipe | None = None, seeds: int = 10, broker: Any = None) -> None:
        self.now = 1_000_000
        self.keys: dict[str, SecretStr] = {}
        self.clock: Callable[[], float] = time.monotonic  # of pauses
        self.recipe = settings or recipe()
        self.pipeline = self.recipe.pipeline
        self.broker = broker or MemoryBroker(lambda: self.now)
        ensure(self.broker, self.pipeline)
        self.folder = tempfile.TemporaryDirectory()
        self._stages: list[Generator] = []
        self._open.append(self)
        self._producer = self.broker.producer()
        self._new: list[SampleGenerated] = []
        self.arrived = 0
        self.given: Counter[str] = Counter()
        self._in_review: list[Sample] = []
        self._fold = Fold(self.broker, [name(self.pipeline, "generate")], self._arrived)
        self.seeds(seeds)
        self.now += 5_000

    def slot(
        self,
        providers: Mapping[str, Provider] | None,
        slot: int = 0,
        broker: Any = None,
        metrics: Metrics | None = None,
    ) -> Generator:
        stage = build(
            Context(
                recipe=self.recipe,
                broker=broker or self.broker,
                codec=CODEC,
                slot=slot,
                now=lambda: self.now,
                metrics=metrics or Metrics(),
                keys=self.keys.get,
                spools=Path(self.folder.name),
            ),
            providers,
            clock=lambda: self.clock(),  # noqa: PLW0108 - it may be another one later
        )
        assert isinstance(stage, Generator)
        self._stages.append(stage)
        return stage

    def send(self, word: str, key: str, event: Event | bytes) -> None:
        value = event if isinstance(event, bytes) else CODEC.encode(event)
        self._producer.send([Outgoing(name(self.pipeline, word), key.encode(), value)])
        self._producer.flush()

    def seeds(
        self,
        count: int,
        text: Callable[[int], str] = lambda i: f"seed number {i} has words",
        domain: Callable[[int], str] = lambda i: f"domain-{i % 2}",
    ) -> None:
        for i in range(count):
            sample = Sample(
                sample_id=digest("seed", i),
                content_hash=digest("seed", i),
                task=self.recipe.task,
                turns=(Turn(role="document" if self.recipe.task == "text" else "user", text=text(i)),),
                label=f"label-{i % 3}",
                tags={"domain": domain(i)},
                lineage=Lineage(origin="HUMAN", generation=0),
            )
            event = SampleIngested(event_id=digest(i), occurred_at=self.now, pool="seed", sample=sample)
            self.send("seed", sample.sample_id, event)

    def policy(self, version: int, **weights: float) -> None:
        event = MixPolicySet(
            event_id="", occurred_at=self.now, version=version, alpha=0.3, set_by="t", reason="t", weights=weights
        )
        self.send("policy", "", event)

    def alarm(
        self, version: int, source: str, regenerate: tuple[str, ...], weights: Mapping[str, float] | None = None
    ) -> None:
        """Hold all of a source, put it out or give weights, and give its seeds back if `regenerate` names it."""
        event = MixPolicySet(
            event_id="",
            occurred_at=self.now,
            version=version,
            alpha=0.05,
            set_by="monitor",
            reason="t",
            weights=weights or {source: 0.0},
            held=(SourceRange(source=source, from_offset=0, to_offset=OPEN_END),),
            regenerate=regenerate,
        )
        self.send("policy", "", event)

    def mixed(self, total: int, batch_index: int = 0, sample: Sample | None = None) -> None:
        event = SampleMixed(
            event_id=digest(batch_index, total),
            occurred_at=self.now,
            batch_index=batch_index,
            position=0,
            batch_size=1,
            epoch=0,
            cut=(),
            next_real=0,
            alpha=0.3,
            recipe_cap=0.3,
            policy_version=0,
            synthetic=True,
            synthetic_total=total,
            source_topic="",
            source_partition=0,
            source_offset=0,
            sample=sample or self.made()[0].sample,
        )
        self.send("mix", str(batch_index), event)

    def verify(self, most: int = 10_000, fate: Callable[[Sample], str] = lambda _: "verify") -> int:
        """Give at most so many candidates the fate that `fate` names."""
        self._fold.catch_up()
        batch, self._new = self._new[:most], self._new[most:]
        for event in batch:
            self._give(event.sample, fate(event.sample))
        return len(batch)

    def decide(self, fate: Callable[[Sample], str] = lambda _: "verify") -> int:
        """Let a person decide about all that waits in review."""
        waiting, self._in_review = self._in_review, []
        for sample in waiting:
            self._give(sample, fate(sample))
        return len(waiting)

    def outstanding(self) -> int:
        """Count the candidates that may still be accepted."""
        self._fold.catch_up()
        return self.arrived - self.given["verify"] - self.given["reject"] - self.given["dead"]

    def made(self) -> list[SampleGenerated]:
        return [event for event in self.events("generate") if isinstance(event, SampleGenerated)]

    def responses(self) -> list[ModelAnswered]:
        return [e for e in self.events("response") if isinstance(e, ModelAnswered) and e.purpose == PURPOSE]

    def events(self, word: str) -> list[Event]:
        records: list[Record] = []
        fold = Fold(self.broker, [name(self.pipeline, word)], records.extend)
        fold.catch_up()
        return [CODEC.decode(record.value) for record in records]

    def bury(self, stage: Generator) -> None:
        """Let go of what a killed process leaves in this one; its calls in flight reach the vendor."""
        self._stages.remove(stage)
        for _ in range(len(stage._dispatcher._in_flight)):
            stage._dispatcher._in_flight._done.get()
        stage._state.pool.close()

    def end(self, stage: Generator) -> None:
        """Let a process end as it does when it is asked to, or after an error."""
        self._stages.remove(stage)
        stage.close()

    def close(self) -> None:
        while self._stages:
            self._stages.pop().close()
        self.folder.cleanup()

    @classmethod
    def close_all(cls) -> None:
        while cls._open:
            cls._open.pop().close()

    def _arrived(self, records: Any) -> None:
        for record in records:
            event = CODEC.decode(record.value)
            assert isinstance(event, SampleGenerated)
            self._new.append(event)
            self.arrived += 1

    def _give(self, sample: Sample, fate: str) -> None:
        key = sample.sample_id
        self.given[fate] += 1
        if fate == "verify":
            self.send("verify", key, SampleVerified(event_id=f"v{key}", occurred_at=self.now, sample=sample))
        elif fate == "reject":
            rejected = SampleRejected(event_id=f"r{key}", occurred_at=self.now, reasons=("format",), sample=sample)
            self.send("reject", key, rejected)
        elif fate == "review":
            self._in_review.append(sample)
            self.send(
                "review", key, ReviewRequested(event_id=f"q{key}", occurred_at=0, reason="flagged", sample=sample)
            )
        else:
            letter = DeadLetter(
                event_id=f"d{key}",
                occurred_at=self.now,
                stage="verify",
                reason="handle",
                error="X",
                explanation="x",
                source_topic=name(self.pipeline, "generate"),
                source_partition=0,
                source_offset=0,
                value=CODEC.encode(SampleGenerated(event_id="", occurred_at=0, sample=sample)),
            )
            self.send("dead.verify", key, letter)


def refusing(*calls: int) -> Callable[[Request], None]:
    def behave(request: Request) -> None:
        if request.call_index in calls:
            raise RefusedError(f"call {request.call_index} is refused")

    return behave


def by_hash(accepted: float, *others: str) -> Callable[[Sample], str]:
    """Accept a share of the candidates, and give the rest one of the other fates."""

    def fate(sample: Sample) -> str:
        place = int(digest("fate", sample.sample_id)[:8], 16) / 16**8
        return "verify" if place < accepted else others[int(place * 1000) % len(others)]

    return fate


def lives(
    world: World, providers: Mapping[str, Provider], at: int | None, *, after: bool, slot: int = 0, steps: int = 200
) -> bool:
    """Run one process until it is killed or has nothing to do; True if it was killed."""
    stage = None
    try:
        stage = world.slot(providers, slot, CrashingBroker(world.broker, at, after=after))
        stage.start()
        for _ in range(steps):
            idle = stage.step() == 0 and stage._dispatcher.is_idle()
            if world.verify(3, by_hash(0.6, "reject", "dead")) == 0 and idle:
                return False
    except Crash:
        return True
    finally:
        if stage is not None:
            world.bury(stage)
    raise AssertionError("the run does not end")
