"""Writes a pipeline's log by hand on a memory broker: a good one, with room to plant one fault."""

from dataclasses import replace
from typing import Any

from services.books.audit import Fault, faults
from services.books.tally import Tally
from streams import topics
from streams.broker import Committed, Outgoing, TopicPartition
from streams.codec import Codec
from streams.deadletter import dead_letter
from streams.events import (
    MixPolicySet,
    ReviewRequested,
    SampleGenerated,
    SampleIngested,
    SampleMixed,
    SampleRejected,
    SampleVerified,
)
from streams.memory import MemoryBroker
from streams.samples import Lineage, Sample, Source, Turn, digest

NAME = "p"
CODEC = Codec()
SEEDS = 6
BATCH = 4


def sample(number: int, word: str = "candidate", **lineage: Any) -> Sample:
    """Make a sample whose id follows from word and number."""
    made_by = None if word == "human" else source()
    what: dict[str, Any] = {"origin": "HUMAN" if word == "human" else "SYNTHETIC", "generation": 0, "source": made_by}
    return Sample(
        sample_id=digest(word, number),
        content_hash=digest("text", word, number),
        task="text",
        turns=(Turn(role="document", text=f"{word} {number}"),),
        lineage=Lineage(**{**what, **lineage}),
    )


def source() -> Source:
    return Source(
        name="a", provider="local", model_id="m", family="f", model_generation=0,
        prompt_hash="p", request_key="r", call_index=0,
    )  # fmt: skip


class Books:
    """A log with six seeds, and candidates as a test writes them."""

    def __init__(self) -> None:
        self.broker = MemoryBroker()
        topics.ensure(self.broker, NAME)
        self._producer = self.broker.producer()
        self._batches = 0
        self._real = 0
        for number in range(SEEDS):
            human = sample(number, "human")
            event = SampleIngested(event_id="e", occurred_at=1, pool="seed", sample=human)
            self.write("seed", human.sample_id, event, 0)
        self.policy(0, 0.5)

    def write(self, word: str, key: str, event: Any, partition: int = 0) -> None:
        frame = event if isinstance(event, bytes) else CODEC.encode(event)
        self._producer.send([Outgoing(f"{NAME}.{word}", key.encode(), frame, partition)])
        self._producer.flush()

    def policy(self, version: int, alpha: float, **more: Any) -> None:
        event = MixPolicySet(
            event_id="e", occurred_at=1, version=version, alpha=alpha, set_by="me", reason="test", **more
        )
        self.write("policy", "", event)

    def generate(self, *numbers: int) -> None:
        for number in numbers:
            made = sample(number)
            self.write("generate", made.sample_id, SampleGenerated(event_id="e", occurred_at=1, sample=made))

    def accept(self, *numbers: int, made: Sample | None = None) -> None:
        for number in numbers:
            each = made or sample(number)
            self.write("verify", each.sample_id, SampleVerified(event_id="e", occurred_at=1, sample=each))

    def reject(self, *numbers: int, reason: str = "format") -> None:
        for number in numbers:
            made = sample(number)
            event = SampleRejected(event_id="e", occurred_at=1, reasons=(reason,), sample=made)
            self.write("reject", made.sample_id, event)

    def ask(self, *numbers: int) -> None:
        for number in numbers:
            made = sample(number)
            event = ReviewRequested(event_id="e", occurred_at=1, reason="flagged", sample=made)
            self.write("review", made.sample_id, event)

    def bury(self, number: int) -> str:
        """Make a dead letter of the candidate that is the only one of its id in `generate`."""
        record = next(r for r in self.records("generate") if r.key == sample(number).sample_id.encode())
        output = dead_letter("verify", record, ValueError("no"), 1)
        self.write(output.word, output.key, output.event)
        return output.event.event_id

    def verified(self, generate: int, redo: int = 0) -> None:
        """Set how far verify has come."""
        group = topics.group(NAME, "verify")
        where = {"generate": generate, "redo.verify": redo}
        self.broker.commit(group, {TopicPartition(f"{NAME}.{w}", 0): Committed(at) for w, at in where.items()})

    def mix(self, *synthetic: int, size: int = BATCH, **changes: Any) -> None:
        """Write the next batch: these candidates first, the rest real, drawn in the order of the log."""
        for event in self.batch(*synthetic, size=size):
            self.write("mix", str(event.batch_index), replace(event, **changes), event.batch_index % 4)
        self._batches += 1

    def batch(self, *synthetic: int, size: int = BATCH) -> list[SampleMixed]:
        events = []
        for position in range(size):
            candidate = position < len(synthetic)
            epoch, at = divmod(self._real, SEEDS)
            self._real += not candidate
            events.append(
                SampleMixed(
                    event_id="e", occurred_at=1, batch_index=self._batches, position=position, batch_size=size,
                    epoch=epoch, cut=(SEEDS, 0, 0, 0), next_real=at + 1, alpha=0.5, recipe_cap=0.5, policy_version=0,
                    synthetic=candidate, synthetic_total=0, source_topic="verify" if candidate else "seed",
                    source_partition=0, source_offset=at,
                    sample=sample(synthetic[position]) if candidate else sample(at, "human"),
                )
            )  # fmt: skip
        return events

    def records(self, word: str) -> list[Any]:
        consumer = self.broker.consumer()
        consumer.assign({TopicPartition(f"{NAME}.{word}", 0): 0})
        return consumer.poll(1_000, 0)

    def tally(self) -> Tally:
        tally = Tally(self.broker, CODEC, NAME)
        tally.advance()
        return tally

    def faults(self) -> list[Fault]:
        return faults(self.tally())

    def laws(self) -> set[str]:
        """Return the names of the broken laws."""
        return {fault.law for fault in self.faults()}


def good() -> Books:
    """Write a log in which everything has its place: one candidate of each fate, two batches, an epoch finished."""
    books = Books()
    books.generate(0, 1, 2, 3, 4, 5)
    books.accept(0, 1)
    books.reject(2)
    books.ask(3)
    books.bury(4)
    books.verified(5)  # candidate 5 is in flight
    books.mix(0)
    books.mix(1)
    books.mix()
    return books
