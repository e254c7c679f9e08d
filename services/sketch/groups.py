"""Which groups a record's sample counts in: names are bounded, for sources are few and tasks too."""

from streams.events import Event, SampleGenerated, SampleIngested, SampleMixed, SampleVerified
from streams.samples import Sample

HUMAN = "human"
ALL = "all"


def group_of(event: Event) -> tuple[str, Sample] | None:
    """Return `word/task/source` and the sample; None for an event that is not counted.

    Human text is the source `human`; a batch is one whole, whatever it was mixed of.
    """
    match event:
        case SampleIngested():
            word, source = "seed", HUMAN
        case SampleMixed():
            word, source = "mix", ALL
        case SampleGenerated():
            word, source = "generate", _source(event.sample)
        case SampleVerified():
            word, source = "verify", _source(event.sample)
        case _:
            return None
    return f"{word}/{event.sample.task}/{source}", event.sample


def _source(sample: Sample) -> str:
    """Return the source's name; `ingest` for candidates that a file brought."""
    source = sample.lineage.source
    return source.name if source is not None else "ingest"
