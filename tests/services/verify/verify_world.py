"""Samples, a recipe and a verifier on the memory broker."""

import random
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, get_args

from idling import until_idle

from services.index.minhash import Shape, shape
from services.recipe import OPTIONAL, Recipe, parse
from services.recipe import Check as CheckName
from services.stage import Context, Stage
from services.steering import accept_reference
from services.verify.check import Batch
from services.verify.service import build
from streams.broker import Outgoing, TopicPartition
from streams.codec import Codec
from streams.events import SampleGenerated, SampleIngested
from streams.memory import MemoryBroker
from streams.metrics import Metrics
from streams.samples import Lineage, Outcome, Sample, Turn, Verdict, digest
from streams.topics import ensure, name

CODEC = Codec()
SHAPE: Shape = shape(0.8)
WITHOUT_REFERENCE = [check for check in get_args(CheckName) if check not in ("consistency", *OPTIONAL)]
NOW = 1_700_000_000_000
_WORDS = [f"word{n}" for n in range(5_000)]


def recipe(task: str = "text", **verify: Any) -> Recipe:
    """Return a recipe whose checks need no reference, unless it is told otherwise."""
    data = {"pipeline": "p", "task": task, "seeds": {"path": "x", "licence": "cc0"}, "generate": {"target": 1}}
    return parse({**data, "verify": {"audit_share": 0, "checks": WITHOUT_REFERENCE, **verify}}, "test")


def text(seed: int, words: int = 80) -> str:
    return " ".join(random.Random(seed).choices(_WORDS, k=words))


def sample(key: object, content: str, role: str = "document", generation: int = 1) -> Sample:
    return Sample(
        sample_id=digest(str(key)),
        content_hash=digest(content),
        task="text",
        turns=(Turn(role=role, text=content),),
        lineage=Lineage(origin="SYNTHETIC", generation=generation),
    )


def human(content: str) -> Sample:
    hashed = digest(content)
    turn = Turn(role="document", text=content)
    lineage = Lineage(origin="HUMAN", generation=0)
    return Sample(sample_id=hashed, content_hash=hashed, task="text", turns=(turn,), lineage=lineage)


def batch(*samples: Sample) -> Batch:
    return Batch(samples, SHAPE)


def world() -> MemoryBroker:
    broker = MemoryBroker()
    ensure(broker, "p")
    return broker


def put(broker: MemoryBroker, word: str, samples: Iterable[Sample]) -> None:
    producer = broker.producer()
    for one in samples:
        event: Any = (
            SampleGenerated(event_id=one.sample_id, occurred_at=0, sample=one)
            if word == "generate"
            else SampleIngested(event_id=one.sample_id, occurred_at=0, pool="seed", sample=one)
        )
        producer.send([Outgoing(name("p", word), one.sample_id.encode(), CODEC.encode(event))])
    producer.flush()


def refer(broker: MemoryBroker, part: Any, samples: Iterable[Sample]) -> None:
    """Put human documents into a part of the reference."""
    producer = broker.producer()
    for one in samples:
        event = SampleIngested(event_id=one.sample_id, occurred_at=0, pool="reference", part=part, sample=one)
        producer.send([Outgoing(name("p", "reference"), one.sample_id.encode(), CODEC.encode(event))])
    producer.flush()


def accept(broker: MemoryBroker) -> None:
    accept_reference(broker, CODEC, "p", reason="the test's", now=NOW)


def context(broker: Any, settings: Recipe | None = None, metrics: Metrics | None = None) -> Context:
    return Context(
        recipe=settings or recipe(),
        broker=broker,
        codec=CODEC,
        slot=0,
        now=lambda: NOW,
        metrics=metrics or Metrics(),
        spools=Path("/nonexistent"),
    )


def stage(broker: Any, settings: Recipe | None = None, metrics: Metrics | None = None) -> Stage:
    return build(context(broker, settings, metrics))


def drain(broker: Any, settings: Recipe | None = None) -> Stage:
    verifier = stage(broker, settings)
    verifier.start()
    until_idle(verifier)
    return verifier


def events(broker: MemoryBroker, word: str) -> list[Any]:
    topic = name("p", word)
    consumer = broker.consumer()
    consumer.assign({TopicPartition(topic, n): 0 for n in range(broker.partitions()[topic])})
    return [CODEC.decode(record.value) for record in consumer.poll(100_000, 0)]


def fates(broker: MemoryBroker) -> list[tuple[str, str]]:
    return sorted((e.sample.sample_id, word) for word in ("verify", "reject", "review") for e in events(broker, word))


class Says:
    """A check that says what it is told, and notes whom it was asked about."""

    def __init__(self, name: str, says: Outcome | Callable[[Sample], Outcome]) -> None:
        self.name, self._says = name, says
        self.asked: list[list[str]] = []

    def over(self, batch: Batch) -> Sequence[Verdict]:
        self.asked.append([one.sample_id for one in batch.samples])
        says = self._says
        told = [says if isinstance(says, str) else says(one) for one in batch.samples]
        return [Verdict(check=self.name, outcome=each) for each in told]
