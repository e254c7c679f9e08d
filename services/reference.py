"""The accepted reference as the topic has it: a range of offsets that a policy names, in parts that never mix."""

from collections.abc import Sequence
from contextlib import closing

from services.artefact import Artefact
from services.artefact import build as build_artefact
from services.stage import Context
from streams.broker import Record
from streams.events import MixPolicySet, ReferencePart, SampleIngested
from streams.fold import Fold
from streams.samples import Sample
from streams.topics import name


def samples_of(context: Context, policy: MixPolicySet, part: ReferencePart) -> list[Sample]:
    """Return the samples of one part of the accepted reference. Reads the topic."""
    found: list[Sample] = []

    def take(records: Sequence[Record]) -> None:
        for record in records:
            event = context.codec.decode(record.value)
            accepted = record.offset < policy.reference_end[record.partition]
            if isinstance(event, SampleIngested) and accepted and event.part == part:
                found.append(event.sample)

    with closing(Fold(context.broker, [name(context.pipeline, "reference")], take)) as fold:
        fold.catch_up()
    return found


def artefact_of(context: Context, policy: MixPolicySet) -> Artefact:
    """Return what is fitted on the accepted reference. Reads the topic and takes seconds."""
    return build_artefact(policy.reference_version, samples_of(context, policy, "fit"))
