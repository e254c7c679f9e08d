"""The accepted reference as its topic has it: a range of offsets that a policy names, in parts that never mix.

With it goes a range of the seeds, which copies are told by.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from typing import NamedTuple

from services.artefact import MOST, Artefact, chosen_of
from services.artefact import build as build_artefact
from streams.broker import Broker, Record
from streams.codec import Codec
from streams.events import MixPolicySet, ReferencePart, SampleIngested
from streams.fold import Fold
from streams.samples import Sample
from streams.topics import name

Parts = Mapping[ReferencePart, list[Sample]]


class Accepted(NamedTuple):
    """The accepted reference by part, at most MOST of the seeds of its time, and what is fitted on both."""

    parts: Parts
    seeds: Sequence[Sample]
    artefact: Artefact


def accepted(broker: Broker, codec: Codec, pipeline: str, policy: MixPolicySet, embeddings: int) -> Accepted:
    """Return the accepted reference, and what is fitted on it and the seeds of its time.

    Reads both topics and takes seconds; raises TooFewError if there is too little of it.
    """
    parts = read(broker, codec, pipeline, policy)
    seeds = _seeds(broker, codec, pipeline, policy)
    return Accepted(parts, seeds, build_artefact(policy.reference_version, parts["fit"], seeds, embeddings))


def read(broker: Broker, codec: Codec, pipeline: str, policy: MixPolicySet) -> Parts:
    """Return the samples of the accepted reference by part. Reads the topic."""
    found: dict[ReferencePart, list[Sample]] = {"fit": [], "calibrate": [], "checks": []}

    def take(event: SampleIngested) -> None:
        if event.part in found:
            found[event.part].append(event.sample)

    _read(broker, codec, name(pipeline, "reference"), policy.reference_end, take)
    return found


def _seeds(broker: Broker, codec: Codec, pipeline: str, policy: MixPolicySet) -> list[Sample]:
    found: list[Sample] = []

    def take(event: SampleIngested) -> None:
        found.append(event.sample)
        if len(found) > 2 * MOST:
            found[:] = chosen_of(found)

    _read(broker, codec, name(pipeline, "seed"), policy.seed_end, take)
    return chosen_of(found)


def _read(
    broker: Broker, codec: Codec, topic: str, ends: Sequence[int], take: Callable[[SampleIngested], None]
) -> None:
    """Read what was accepted of a topic: up to these ends."""

    def fold(records: Sequence[Record]) -> None:
        for record in records:
            if _within(record, ends) and isinstance(event := codec.decode(record.value), SampleIngested):
                take(event)

    with closing(Fold(broker, [topic], fold)) as reading:
        reading.catch_up()


def _within(record: Record, ends: Sequence[int]) -> bool:
    """Tell whether a record is accepted; of partitions that were added later nothing is."""
    return record.partition < len(ends) and record.offset < ends[record.partition]
