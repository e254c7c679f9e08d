"""Reads a range of the mix once: what a proxy learns from, what the benchmark is made of, and what has leaked."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field

from services.evaluate.integrity import Integrity
from services.evaluate.sets import Draw, held_back, held_back_of
from streams.broker import Broker, Record
from streams.codec import Codec
from streams.errors import UnavailableError
from streams.events import SampleIngested, SampleMixed
from streams.fold import Fold
from streams.samples import Sample
from streams.tail import last_records
from streams.topics import name


@dataclass(frozen=True, slots=True)
class Batches:
    """The batches from `first` on and before `end`."""

    first: int
    end: int

    def __contains__(self, index: int) -> bool:
        return self.first <= index < self.end


@dataclass(slots=True)
class Cycle:
    """The samples of one range of batches; those that are held back are not drawn to be trained on."""

    draw: Draw
    integrity: Integrity
    held_back: list[Sample] = field(default_factory=list)
    real: int = 0
    synthetic: int = 0
    largest_generation: int = 0

    def add(self, mixed: Sequence[SampleMixed]) -> None:
        """Take in samples of the range."""
        self.held_back += held_back_of(mixed)
        self.draw.add(e.sample for e in mixed if not (e.synthetic and held_back(e.sample.sample_id)))
        self.integrity.look([event.sample for event in mixed])
        synthetic = sum(event.synthetic for event in mixed)
        self.synthetic += synthetic
        self.real += len(mixed) - synthetic
        generations = [event.sample.lineage.generation for event in mixed]
        self.largest_generation = max(self.largest_generation, *generations)

    def metrics(self) -> Mapping[str, float]:
        """Return what an event tells of the range."""
        return {
            "synthetic_share": self.synthetic / max(1, self.real + self.synthetic),
            "leaks": self.integrity.leaks,
            "leaked_documents": len(self.integrity.leaked),
        }


def mixed_batches(broker: Broker, pipeline: str) -> int:
    """Return how many batches are mixed: the first batch_index that is not there yet. Blocks."""
    records = last_records(broker, name(pipeline, "mix"))
    return max((int(record.key or b"-1") for record in records), default=-1) + 1


def holdout(broker: Broker, codec: Codec, pipeline: str) -> list[Sample]:
    """Return the samples of the holdout. Blocks."""
    found: list[Sample] = []

    def take(records: Sequence[Record]) -> None:
        events = [codec.decode(record.value) for record in records]
        found.extend(event.sample for event in events if isinstance(event, SampleIngested))

    _read(broker, name(pipeline, "holdout"), take)
    return found


def read(
    broker: Broker, codec: Codec, pipeline: str, batches: Batches, take: Callable[[Sequence[SampleMixed]], None]
) -> None:
    """Give the samples of the batches to `take`, batches in any order. Blocks; raises UnavailableError for a gap."""
    there: Counter[int] = Counter()
    sizes: dict[int, int] = {}

    def apply(records: Sequence[Record]) -> None:
        found = [codec.decode(record.value) for record in records if int(record.key or b"-1") in batches]
        mixed = [event for event in found if isinstance(event, SampleMixed)]
        there.update(event.batch_index for event in mixed)
        sizes.update((event.batch_index, event.batch_size) for event in mixed)
        if mixed:
            take(mixed)

    _read(broker, name(pipeline, "mix"), apply)
    for index in range(batches.first, batches.end):
        if there[index] != sizes.get(index, -1):
            raise UnavailableError(f"Batch {index} of {name(pipeline, 'mix')} is not whole; run `ballast audit`")


def _read(broker: Broker, topic: str, apply: Callable[[Sequence[Record]], None]) -> None:
    with closing(Fold(broker, [topic], apply)) as fold:
        fold.catch_up()
