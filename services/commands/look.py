"""audit, trace and topics: what lies in the log, and whether it adds up."""

from contextlib import closing
from dataclasses import asdict
from functools import partial
from typing import Annotated, Any

import typer

from services.books.audit import Fault
from services.books.audit import audit as judge
from services.books.scan import scan
from services.books.tally import Counts, Tally
from services.commands.output import JsonOption, PipelineOption, RecipeOption, note, print_json, say, table
from services.errors import InputError
from services.supervise import session
from streams import topics as every
from streams.broker import Broker, TopicPartition
from streams.lineage import JUDGE, Found, Step
from streams.lineage import trace as traced
from streams.samples import beginning
from streams.topics import TOPICS
from streams.topics import name as topic_name

_FAULTS_SHOWN = 20
_TEXT_SHOWN = 200


def audit(name: PipelineOption = None, recipe: RecipeOption = None, json: JsonOption = False) -> None:
    """Check the conservation law: nothing lost, nothing twice, every cap kept.

    Reads the whole log, also while the stages run. Exit code 1 if something is not balanced.
    """
    with session.opened(session.choose(name, recipe), note) as opened:
        note(f"Reading the log of pipeline {opened.pipeline}")
        with closing(Tally(opened.broker, opened.codec, opened.pipeline)) as tally:
            found = judge(tally)
            counts = tally.counts()
        pipeline = opened.pipeline
    if json:
        print_json(
            {
                "pipeline": pipeline,
                "balanced": not found,
                "places": asdict(counts) | {"lost": sum(fault.law == "lost" for fault in found)},
                "faults": [fault._asdict() for fault in found],
            }
        )
    else:
        table("", ["place", "samples"], places(counts))
        verdict(pipeline, found)
    if found:
        raise typer.Exit(1)


def places(counts: Counts) -> list[tuple[str, object]]:
    """Return the places of an audit in the order of flow, as rows."""
    rows: list[tuple[str, object]] = [
        ("human: seed", counts.seed),
        ("human: reference", counts.reference),
        ("human: holdout", counts.holdout),
        ("candidates", counts.candidates),
        ("  in flight", counts.in_flight),
        ("  rejected", counts.rejected),
        ("  waiting for review", counts.waiting_review),
        ("  dead letters", counts.dead),
        ("  accepted", counts.accepted),
        ("    edits, whose candidates are rejected", counts.edited),
        ("    waiting for mix", counts.waiting_mix),
        ("    held", counts.held),
        ("    dropped", counts.dropped),
        ("    dead letters of mix", counts.unmixable),
        ("    mixed", counts.mixed_synthetic),
        ("real samples mixed", counts.mixed_real),
        ("batches", counts.batches),
    ]
    return rows


def verdict(pipeline: str, found: list[Fault]) -> None:
    """Say whether the log is balanced, and what is wrong."""
    if not found:
        say(f"Pipeline {pipeline} is balanced: nothing lost, nothing twice, every batch within its cap")
        return
    say(f"Pipeline {pipeline} is NOT balanced: {len(found)} faults")
    for fault in found[:_FAULTS_SHOWN]:
        say(f"  {fault.law}: {fault.what}")
    if len(found) > _FAULTS_SHOWN:
        say(f"  and {len(found) - _FAULTS_SHOWN} more; --json has all")


def trace(
    sample_id: Annotated[str, typer.Argument(metavar="SAMPLE_ID", help="The sample's id, 32 hexadecimal digits.")],
    name: PipelineOption = None,
    recipe: RecipeOption = None,
    json: JsonOption = False,
) -> None:
    """Show the way of a sample, back to its human ancestors.

    Every event about it and them stands with its topic, partition and offset.
    """
    with session.opened(session.choose(name, recipe), note) as opened:
        note("Reading the log")
        steps = traced(sample_id, partial(scan, opened.broker, opened.codec, opened.pipeline))
        pipeline = opened.pipeline
    if not steps:
        raise InputError(f"No event of pipeline {pipeline} is about sample {sample_id}; check the id and --pipeline")
    if json:
        print_json([_plain(step, pipeline) for step in steps])
        return
    for step in steps:
        _show(step)


def _show(step: Step) -> None:
    margin = "    " * step.depth
    sample = _sample(step)
    told = f"{sample.lineage.origin}, generation {sample.lineage.generation}" if sample else "no event has its text"
    say(f"{margin}{step.sample_id}  {told}")
    if sample:
        say(f"{margin}  {beginning(sample, _TEXT_SHOWN)}")
    for found in step.events:
        say(f"{margin}  {found.word:14} {found.partition}/{found.offset:<8} {_detail(found)}".rstrip())
    if step.parents:
        say(f"{margin}  made from")


def _sample(step: Step) -> Any:
    return next((sample for found in step.events if (sample := getattr(found.event, "sample", None))), None)


def _detail(found: Found) -> str:
    event: Any = found.event
    if found.word == "mix":
        return f"batch {event.batch_index}, position {event.position}, share at most {event.alpha:g}"
    if found.word == "reject":
        return ", ".join(event.reasons)
    if found.word in ("generate", "response"):
        source = event.source if found.word == "response" else event.sample.lineage.source
        told = f"{source.name} ({source.model_id})" if source else "ingested"
        return f"judge {told}" if getattr(event, "purpose", "") == JUDGE else told
    if found.word in ("seed", "reference", "holdout"):
        return str(event.sample.lineage.uri or "")
    if found.word == "decision":
        return f"{event.decision} by {event.reviewer}" + ("" if event.settles else ", not settled yet")
    return str(getattr(event, "explanation", ""))


def _plain(step: Step, pipeline: str) -> dict[str, Any]:
    return {
        "sample_id": step.sample_id,
        "depth": step.depth,
        "parents": list(step.parents),
        "events": [
            {
                "topic": f"{pipeline}.{found.word}",
                "partition": found.partition,
                "offset": found.offset,
                "event": type(found.event).__name__,
                "detail": _detail(found),
            }
            for found in step.events
        ],
    }


def topics(name: PipelineOption = None, recipe: RecipeOption = None, json: JsonOption = False) -> None:
    """List the pipeline's topics; makes those that are missing.

    Offsets count a transaction's marker too, so a topic's end is a little more than its number of records.
    """
    with session.opened(session.choose(name, recipe), note) as opened:
        ends = _ends(opened.broker, opened.pipeline)
        counts = opened.broker.partitions()
        pipeline = opened.pipeline
    rows = [
        (topic_name(pipeline, each.word), counts[topic_name(pipeline, each.word)], ends[each.word], each.keep, each.key)
        for each in TOPICS
    ]
    columns = ["topic", "partitions", "end", "kept", "key"]
    if json:
        print_json([dict(zip(columns, row, strict=True)) for row in rows])
    else:
        table("", columns, rows)


def _ends(broker: Broker, pipeline: str) -> dict[str, int]:
    """Return the sum of the end offsets of each topic, by its word."""
    counts = broker.partitions()
    partitions = [
        TopicPartition(topic, number)
        for each in TOPICS
        for topic in [topic_name(pipeline, each.word)]
        for number in range(counts[topic])
    ]
    sums = dict.fromkeys((each.word for each in TOPICS), 0)
    for at, (_, end) in broker.bounds(partitions).items():
        sums[every.word_of(pipeline, at.topic)] += end
    return sums
