"""The accepted reference as the topic has it: a range of offsets that a policy names, in parts that never mix."""

from collections.abc import Mapping, Sequence
from contextlib import closing

from services.artefact import Artefact
from services.artefact import build as build_artefact
from streams.broker import Broker, Record
from streams.codec import Codec
from streams.events import MixPolicySet, ReferencePart, SampleIngested
from streams.fold import Fold
from streams.samples import Sample
from streams.topics import name

Parts = Mapping[ReferencePart, list[Sample]]


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


def artefact_of(parts: Parts, policy: MixPolicySet, embeddings: int = 0) -> Artefact:
    """Return what is fitted on the reference. Takes seconds; raises UnavailableError if there is too little of it."""
    return build_artefact(policy.reference_version, parts["fit"], embeddings)


def _within(record: Record, ends: Sequence[int]) -> bool:
    """Tell whether a record is accepted; of partitions that were added later nothing is."""
    return record.partition < len(ends) and record.offset < ends[record.partition]
