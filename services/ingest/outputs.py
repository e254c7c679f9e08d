"""The event for each fate: a human sample enters its pool, other input becomes a candidate, a bad line is set aside."""

from services.ingest.rows import BadLine
from services.ingest.split import Shares, place
from streams.events import DeadLetter, SampleGenerated, SampleIngested, event_id
from streams.samples import Sample, digest
from streams.writer import Output

STAGE = "ingest"
DEAD = f"dead.{STAGE}"


def of_sample(sample: Sample, shares: Shares, now: int) -> Output:
    """Return the event that brings a sample into the pipeline; the same sample gives the same event_id again."""
    key = sample.sample_id
    if sample.lineage.origin != "HUMAN":
        generated = SampleGenerated(event_id=event_id(SampleGenerated, key), occurred_at=now, sample=sample)
        return Output("generate", key, generated)
    pool, part = place(sample.content_hash, shares)
    ingested = SampleIngested(
        event_id=event_id(SampleIngested, key), occurred_at=now, pool=pool, part=part, sample=sample
    )
    return Output(pool, key, ingested)


def of_bad_line(line: BadLine, now: int) -> Output:
    """Return the dead letter of a line; the same line of the same file gives the same key again."""
    identity = event_id(DeadLetter, STAGE, line.file, line.line, digest(line.value.hex()))
    letter = DeadLetter(
        event_id=identity,
        occurred_at=now,
        stage=STAGE,
        reason="input",
        error="BadLine",
        explanation=f"{line.reason} ({line.file}, line {line.line})",
        source_topic=line.file,
        source_partition=-1,
        source_offset=line.line,
        value=line.value,
    )
    return Output(DEAD, identity, letter)
