"""Human and generated samples, an accepted reference and a sketch stage on the memory broker."""

import random
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from idling import until_idle
from made_up import source_of

from services import artefact, reference
from services.artefact import Artefact
from services.recipe import Recipe, parse
from services.sketch import handler, service
from services.stage import Context, Stage
from services.steering import accept_reference
from streams.broker import Outgoing, TopicPartition
from streams.codec import Codec
from streams.events import BatchSketched, SampleGenerated, SampleIngested
from streams.memory import MemoryBroker
from streams.metrics import Metrics
from streams.samples import Lineage, Sample, Turn, digest
from streams.stats.documents import Documents, from_bytes
from streams.topics import ensure, name

CODEC = Codec()
NOW = 1_700_000_000_000
PARTITIONS = 4
_WORDS = [f"word{n}" for n in range(400)]
BUILT: dict[tuple[int, int, int, int], Artefact] = {}


def build_once(version: int, fit: Sequence[Sample], seeds: Sequence[Sample], embeddings: int) -> Artefact:
    """Fit each reference once: a stage that is killed a hundred times would fit it as often."""
    key = (version, len(fit), len(seeds), embeddings)
    if key not in BUILT:
        BUILT[key] = artefact.build(version, fit, seeds, embeddings)
    return BUILT[key]


reference.build_artefact = build_once
handler.MEMORY = MEMORY = 160  # documents: more than a cell in each partition, and streams outgrow it


def recipe(pipeline: str = "p", embeddings: int = 0) -> Recipe:
    sources = [{"name": source, "provider": "local", "family": "f"} for source in ("tri", "bi", "own")]
    told = {"pipeline": pipeline, "seeds": {"path": "x", "licence": "cc0"}, "generate": {"target": 1}}
    return parse({**told, "sources": sources, "monitor": {"embeddings": embeddings, "window": 100}}, "test")


def text(seed: object, words: int = 70) -> str:
    return " ".join(random.Random(str(seed)).choices(_WORDS, k=words))


def sample(key: object, content: str, model: str | None = None) -> Sample:
    origin: Any = "SYNTHETIC" if model else "HUMAN"
    lineage = Lineage(origin=origin, generation=1 if model else 0, source=source_of(model) if model else None)
    turns = (Turn(role="document", text=content),)
    tags = {"domain": "odd" if len(content) % 2 else "even"} if model is None else {}
    return Sample(
        sample_id=digest(str(key)), content_hash=digest(content), task="text", turns=turns, tags=tags, lineage=lineage
    )


def put(broker: Any, word: str, samples: Iterable[Sample], part: Any = "none", pipeline: str = "p") -> None:
    producer = broker.producer()
    for one in samples:
        event: Any = (
            SampleGenerated(event_id=one.sample_id, occurred_at=0, sample=one)
            if word == "generate"
            else SampleIngested(event_id=one.sample_id, occurred_at=0, pool="seed", part=part, sample=one)
        )
        producer.send([Outgoing(name(pipeline, word), one.sample_id.encode(), CODEC.encode(event))])
    producer.flush()


def world(reference: int = 120) -> MemoryBroker:
    broker = MemoryBroker()
    ensure(broker, "p")
    put(broker, "reference", (sample(f"r{n}", text(f"r{n}")) for n in range(reference)), "fit")
    return broker


def accept(broker: Any, pipeline: str = "p") -> None:
    accept_reference(broker, CODEC, pipeline, reason="the test's", now=NOW)


def context(broker: Any, pipeline: str = "p", embeddings: int = 0) -> Context:
    return Context(
        recipe=recipe(pipeline, embeddings),
        broker=broker,
        codec=CODEC,
        slot=0,
        now=lambda: NOW,
        metrics=Metrics(),
        spools=Path("/nonexistent"),
    )


def stage(broker: Any, pipeline: str = "p", embeddings: int = 0) -> Stage:
    made = service.build(context(broker, pipeline, embeddings))
    made.start()
    return made


def drain(broker: Any, embeddings: int = 0) -> None:
    sketch = stage(broker, embeddings=embeddings)
    until_idle(sketch)
    sketch.close()


def sketched(broker: MemoryBroker) -> list[BatchSketched]:
    consumer = broker.consumer()
    consumer.assign({TopicPartition(name("p", "sketch"), 0): 0})
    events = [CODEC.decode(record.value) for record in consumer.poll(100_000, 0)]
    return [event for event in events if isinstance(event, BatchSketched)]


def cells(broker: MemoryBroker) -> Mapping[tuple[str, int], Documents]:
    """Return every cell by its name and partition; no cell comes twice."""
    found: dict[tuple[str, int], Documents] = {}
    for event in sketched(broker):
        for called, data in event.groups.items():
            assert (called, event.source_partition) not in found
            found[called, event.source_partition] = from_bytes(data)
    return found
