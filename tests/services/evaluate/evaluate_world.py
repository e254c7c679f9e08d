"""A mix of real plays and generated text on the memory broker, batch by batch, as the mixer would write it."""

import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parents[2] / "streams" / "stats"))

from stats_texts import documents

from services.evaluate.evaluator import Evaluator
from services.generate.ngram import NgramModel
from streams.broker import Outgoing
from streams.codec import Codec
from streams.events import EvaluationCompleted, SampleIngested, SampleMixed
from streams.fold import Fold
from streams.memory import MemoryBroker
from streams.samples import Lineage, Sample, Source, Turn, digest
from streams.topics import ensure, name

CODEC = Codec()
NAME = "p"
SIZE = 50
NOW = 1_700_000_000_000


def human(text: str, *, label: str | None = None, domain: str = "") -> Sample:
    return Sample(
        sample_id=digest(text), content_hash=digest(text), task="text", turns=(Turn(role="document", text=text),),
        label=label, tags={"domain": domain} if domain else {}, lineage=Lineage(origin="HUMAN", generation=0),
    )  # fmt: skip


def generated(text: str, source: str = "bi", generation: int = 1) -> Sample:
    made_by = Source(
        name=source, provider="local", model_id="m", family=source, model_generation=0, prompt_hash="",
        request_key="", call_index=0,
    )  # fmt: skip
    lineage = Lineage(origin="SYNTHETIC", generation=generation, source=made_by)
    return Sample(
        sample_id=digest("made", text), content_hash=digest(text), task="text",
        turns=(Turn(role="document", text=text),), lineage=lineage,
    )  # fmt: skip


@cache
def seeds() -> tuple[str, ...]:
    return documents()[:4_000]


@cache
def outputs(generation: int, count: int = 1_500) -> tuple[str, ...]:
    """Return what a bigram model writes that learnt from the seeds, or from what the generation before wrote."""
    model = NgramModel(seeds() if generation == 1 else outputs(generation - 1), order=2)
    return tuple(model.document(seed=10_000 * generation + n, temperature=1.0, words=80) for n in range(count))


class World:
    """The log of a pipeline."""

    def __init__(self, broker: Any = None, pipeline: str = NAME) -> None:
        self.broker = broker or MemoryBroker()
        self.pipeline = pipeline
        ensure(self.broker, pipeline)
        self._producer = self.broker.producer()
        self._batches = 0

    def holdout(self, samples: Sequence[Sample]) -> None:
        for one in samples:
            self.send("holdout", one.sample_id, SampleIngested(event_id="", occurred_at=0, pool="holdout", sample=one))
        self._producer.flush()

    def mix(self, samples: Sequence[Sample]) -> None:
        """Write the samples in batches; what is left over makes a smaller one."""
        for start in range(0, len(samples), SIZE):
            self.batch(samples[start : start + SIZE])

    def healthy(self, cycle: int, size: int = 1_000) -> None:
        """Mix a cycle of new seeds and 30 % of text by a model that learnt from seeds."""
        real, made = size * 7 // 10, size * 3 // 10
        texts = [human(text) for text in seeds()[cycle * real : (cycle + 1) * real]]
        self.mix(texts + [generated(text) for text in outputs(1)[cycle * made : (cycle + 1) * made]])

    def batch(self, samples: Sequence[Sample], size: int | None = None) -> None:
        for position, one in enumerate(samples):
            event = SampleMixed(
                event_id="", occurred_at=0, batch_index=self._batches, position=position,
                batch_size=size or len(samples), epoch=0, cut=(), next_real=0, alpha=1.0, recipe_cap=1.0,
                policy_version=0, synthetic=one.lineage.origin != "HUMAN", synthetic_total=0, source_topic="seed",
                source_partition=0, source_offset=0, sample=one,
            )  # fmt: skip
            self.send("mix", str(self._batches), event, self._batches % 4)
        self._batches += 1
        self._producer.flush()

    def send(self, word: str, key: str, event: Any, partition: int | None = None) -> None:
        self._producer.send([Outgoing(name(self.pipeline, word), key.encode(), CODEC.encode(event), partition)])

    def evaluator(self, most_shared: float = 0.2) -> Evaluator:
        return Evaluator(broker=self.broker, codec=CODEC, pipeline=self.pipeline, most_shared=most_shared, now=NOW)

    def scores(self) -> list[EvaluationCompleted]:
        found: list[EvaluationCompleted] = []
        topic = name(self.pipeline, "evaluate")
        fold = Fold(self.broker, [topic], lambda records: found.extend(CODEC.decode(r.value) for r in records))
        fold.catch_up()
        fold.close()
        return found
