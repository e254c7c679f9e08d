"""The accepted reference as its topic has it: a range of offsets that a policy names, in parts that never mix.

With it goes a range of the seeds, which copies are told by.
"""

from collections.abc import Mapping, Sequence
from contextlib import closing

from services.artefact import MOST, Artefact, chosen_of
from services.artefact import build as build_artefact
from streams.broker import Broker, Record
from streams.codec import Codec
from streams.events import MixPolicySet, ReferencePart, SampleIngested
from streams.fold import Fold
from streams.samples import Sample
from streams.topics import name

Parts = Mapping[ReferencePart, list[Sample]]


def accepted(
    broker: Broker, codec: Codec, pipeline: str, policy: MixPolicySet, embeddings: int
) -> tuple[Parts, Artefact]:
    """Return the accepted reference, and what is fitted on it and the seeds of its time.

    Reads both topics and takes seconds; raises UnavailableError if there is too little of it.
    """
    parts = read(broker, codec, pipeline, policy)
    seeds = _seeds(broker, codec, pipeline, policy)
    return parts, build_artefact(policy.reference_version, parts["fit"], seeds, embeddings)


def read(broker: Broker, codec: Codec, pipeline: str, policy: MixPolicySet) -> Parts:
    """Return the samples of the accepted reference by part. Reads the topic."""
    found: dict[ReferencePart, list[Sample]] = {"fit": [], "calibrate": [], "checks": []}

    def take(records: Sequence[Record]) -> None:
        for record in records:
            event = codec.decode(record.value)
            if isinstance(event, SampleIngested) and event.part in found and _within(record, policy.reference_end):
                found[event.part].append(event.sample)

    with closing(Fold(broker, [name(pipeline, "reference")], take)) as fold:
        fold.catch_up()
    return found


def _seeds(broker: Broker, codec: Codec, pipeline: str, policy: MixPolicySet) -> list[Sample]:
    found: list[Sample] = []

    def take(records: Sequence[Record]) -> None:
        events = (codec.decode(record.value) for record in records if _within(record, policy.seed_end))
        found.extend(event.sample for event in events if isinstance(event, SampleIngested))
        if len(found) > 2 * MOST:
            found[:] = chosen_of(found)

    if policy.seed_end:
        with closing(Fold(broker, [name(pipeline, "seed")], take)) as fold:
            fold.catch_up()
    return chosen_of(found)


def _within(record: Record, ends: Sequence[int]) -> bool:
    """Tell whether a record is accepted; of partitions that were added later nothing is."""
    return record.partition < len(ends) and record.offset < ends[record.partition]
