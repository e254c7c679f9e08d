"""Which groups a record's sample counts in. There are at most 64: what is beyond that is `other`."""

from collections.abc import Sequence

from services.groups import (
    ALL,
    BROUGHT,
    HUMAN,
    MOST,
    MOST_SOURCES,
    OF_A_SOURCE,
    OF_A_TASK,
    OTHER,
    Name,
    source_of,
)
from streams.events import Event, SampleGenerated, SampleIngested, SampleMixed, SampleVerified
from streams.samples import Sample

_DRAWN_BY = slice(16, 24)  # digits of a sample's id: not those of its key in a cell, nor the last, for partitioners


class Groups:
    """Groups by the recipe's sources and the reference's tasks, the commonest first.

    Every process that counts with the same recipe and reference names alike, whatever comes first.
    """

    def __init__(self, sources: Sequence[str], tasks: Sequence[str]) -> None:
        self._sources = frozenset([BROUGHT, *sources][:MOST_SOURCES])
        each = OF_A_TASK + OF_A_SOURCE * len(self._sources)
        self._tasks = frozenset(tasks[: MOST // each - 1])

    def of(self, event: Event) -> tuple[Sample, list[Name]] | None:
        """Return the sample of an event and its groups; None for an event that is not counted."""
        match event:
            case SampleIngested():
                return event.sample, [self._named("seed", event.sample, HUMAN)]
            case SampleMixed():
                return event.sample, [self._named("mix", event.sample, ALL)]
            case SampleGenerated():
                own = self._named("generate", event.sample, self._source(event.sample))
                return event.sample, [own, own._replace(source=ALL)] if self._is_drawn(event.sample) else [own]
            case SampleVerified():
                return event.sample, [self._named("verify", event.sample, self._source(event.sample))]
            case _:
                return None

    def source_of(self, sample: Sample) -> Name:
        """Return the group of what a sample's source has said and was accepted."""
        return self._named("verify", sample, self._source(sample))

    def _is_drawn(self, sample: Sample) -> bool:
        """Draw so many of what is generated that all sources together cost as much as one."""
        return int(sample.sample_id[_DRAWN_BY], 16) % len(self._sources) == 0

    def _named(self, word: str, sample: Sample, source: str) -> Name:
        return Name(word, sample.task if sample.task in self._tasks else OTHER, source)

    def _source(self, sample: Sample) -> str:
        name = source_of(sample)
        return name if name in self._sources else OTHER
