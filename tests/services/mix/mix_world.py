"""A mixer on the memory broker with a clock that the test turns."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from services.mix.service import build
from services.recipe import Recipe, parse
from services.stage import Context, Stage
from streams.broker import Committed, Outgoing, Record, TopicPartition
from streams.codec import Codec
from streams.events import MixPolicySet, SampleIngested, SampleMixed, SampleVerified
from streams.memory import MemoryBroker
from streams.metrics import Metrics
from streams.parts import SourceRange
from streams.samples import Lineage, Sample, Source, Turn
from streams.topics import ensure, name

CODEC = Codec()


def recipe(**mix: Any) -> Recipe:
    settings = {"batch": 8, "max_synthetic_share": 0.5, "max_family_share": 0.5, "ahead": 4, **mix}
    return parse(
        {
            "pipeline": "p",
            "seeds": {"path": "x", "licence": "public-domain"},
            "generate": {"target": 1},
            "mix": settings,
        },
        "test",
    )


def sample(sample_id: str, source: str | None, planned: int = -1, generation: int = 1) -> Sample:
    made_by = source and Source(
        name=source,
        provider="local",
        model_id="m",
        family=f"family-{source}",
        model_generation=0,
        prompt_hash="",
        request_key="",
        call_index=0,
        policy_version=planned,
    )
    return Sample(
        sample_id=sample_id,
        content_hash=sample_id,
        task="text",
        turns=(Turn(role="document", text=sample_id),),
        lineage=Lineage(
            origin="SYNTHETIC" if source else "HUMAN", generation=generation if source else 0, source=made_by or None
        ),
    )


class World:
    """Everything outside of the mixer: the log, the clock, people and trainers."""

    def __init__(self, settings: Recipe | None = None) -> None:
        self.now = 1_000_000
        self.broker = MemoryBroker(lambda: self.now)
        ensure(self.broker, "p")
        self.recipe = settings or recipe()
        self.metrics = Metrics()
        self._folder = tempfile.TemporaryDirectory()
        self._numbers = 0
        self.policies: list[MixPolicySet] = []
        self._writer = self.broker.producer()

    def close(self) -> None:
        self._folder.cleanup()

    def seeds(self, count: int) -> None:
        for _ in range(count):
            one = sample(self._id("seed"), None)
            self._send("seed", one.sample_id, SampleIngested(event_id="", occurred_at=0, pool="seed", sample=one))

    def accepted(self, source: str, count: int, planned: int = -1, generation: int = 1) -> None:
        for _ in range(count):
            one = sample(self._id(source), source, planned, generation)
            self._send("verify", one.sample_id, SampleVerified(event_id="", occurred_at=0, sample=one))

    def policy(
        self,
        alpha: float,
        *,
        lasts: int | None = None,
        held: Sequence[SourceRange] = (),
        dropped: Sequence[SourceRange] = (),
    ) -> None:
        event = MixPolicySet(
            event_id="",
            occurred_at=self.now,
            version=len(self.policies),
            alpha=alpha,
            expires_at=None if lasts is None else self.now + lasts,
            set_by="test",
            reason="test",
            held=tuple(held),
            dropped=tuple(dropped),
        )
        self.policies.append(event)
        self._send("policy", "", event)

    def trainer(self, batch_index: int) -> None:
        mark = Committed(0, str(batch_index))
        self.broker.commit("p.trainer.t", {TopicPartition(name("p", "mix"), 0): mark})

    def mixer(self, broker: Any = None) -> Stage:
        stage = self.unstarted(broker)
        stage.start()
        return stage

    def unstarted(self, broker: Any = None) -> Stage:
        return build(
            Context(
                recipe=self.recipe,
                broker=broker or self.broker,
                codec=CODEC,
                slot=0,
                now=lambda: self.now,
                metrics=self.metrics,
                spools=Path(self._folder.name),
            )
        )

    def records(self, word: str) -> list[Record]:
        topic = name("p", word)
        reader = self.broker.consumer()
        reader.assign({TopicPartition(topic, n): 0 for n in range(self.broker.partitions()[topic])})
        return reader.poll(1_000_000, 0)

    def mixed(self) -> list[SampleMixed]:
        events = [CODEC.decode(record.value) for record in self.records("mix")]
        return sorted((e for e in events if isinstance(e, SampleMixed)), key=lambda e: (e.batch_index, e.position))

    def _id(self, prefix: str) -> str:
        self._numbers += 1
        return f"{prefix}-{self._numbers}"

    def _send(self, word: str, key: str, event: Any) -> None:
        self._writer.send([Outgoing(name("p", word), key.encode(), CODEC.encode(event))])
