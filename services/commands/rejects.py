"""rejects: what was rejected, why, and examples. These are good events about bad samples; dead letters are none."""

import difflib
from dataclasses import asdict
from typing import Annotated, Any

import typer

from services.books.rejects import Reason, Rejects, read
from services.commands.output import JsonOption, PipelineOption, RecipeOption, note, print_json, say, table
from services.errors import InputError
from services.groups import source_of
from services.supervise import session
from streams.events import SampleRejected
from streams.samples import Verdict, beginning

_TEXT_SHOWN = 240


def rejects(
    reason: Annotated[str | None, typer.Argument(metavar="REASON", help="Show this reason alone, at length.")] = None,
    *,
    examples: Annotated[int, typer.Option("-n", min=0, max=1_000, help="Newest examples of each reason.")] = 1,
    source: Annotated[str | None, typer.Option("--source", help="Only what this source said.")] = None,
    name: PipelineOption = None,
    recipe: RecipeOption = None,
    json: JsonOption = False,
) -> None:
    """Show what was rejected: counts by reason and source, and examples with the evidence.

    A sample that was rejected for several reasons counts under each.
    """
    with session.opened(session.choose(name, recipe), note) as opened:
        note(f"Reading the rejections of pipeline {opened.pipeline}")
        found = read(opened.broker, opened.codec, opened.pipeline, examples=examples, source=source)
    chosen = found if reason is None else found._replace(reasons=[_one(found, reason)])
    if json:
        print_json(_plain(chosen))
        return
    judged = found.accepted + found.rejected
    if not found.rejected:
        say(f"Nothing was rejected of {judged:,} samples")
        return
    say(f"{found.rejected:,} of {judged:,} samples were rejected ({found.rejected / judged:.1%})")
    table(
        "", ["reason", "samples", "of all", "by a person", "sources"], [_row(each, judged) for each in chosen.reasons]
    )
    for each in chosen.reasons:
        for event in each.examples:
            _show(each.reason, event)


def _one(found: Rejects, reason: str) -> Reason:
    known = {each.reason: each for each in found.reasons}
    if reason not in known:
        near = difflib.get_close_matches(reason, known, 1)
        hint = f"did you mean {near[0]}?" if near else "`ballast rejects` shows which there are"
        raise InputError(f"Nothing was rejected for {reason}; {hint}")
    return known[reason]


def _row(each: Reason, judged: int) -> tuple[object, ...]:
    sources = ", ".join(f"{source} {count:,}" for source, count in each.by_source.items())
    return each.reason, each.samples, f"{each.samples / judged:.1%}", each.by_person, sources


def _show(reason: str, event: SampleRejected) -> None:
    say("")
    say(f"{reason}: sample {event.sample.sample_id} of {source_of(event.sample)}")
    verdict = _verdict(reason, event)
    if verdict is not None:
        say(f"  {verdict.explanation}")
        for key, value in verdict.evidence.items():
            say(f"  {key}: {value}")
    say(f"  text: {beginning(event.sample, _TEXT_SHOWN)}")


def _verdict(reason: str, event: SampleRejected) -> Verdict | None:
    return next((each for each in event.verdicts if each.check == reason and each.outcome != "pass"), None)


def _plain(found: Rejects) -> dict[str, Any]:
    return {
        "accepted": found.accepted,
        "rejected": found.rejected,
        "reasons": [
            each._asdict() | {"examples": [_plain_example(each.reason, event) for event in each.examples]}
            for each in found.reasons
        ],
    }


def _plain_example(reason: str, event: SampleRejected) -> dict[str, Any]:
    verdict = _verdict(reason, event)
    return {
        "sample_id": event.sample.sample_id,
        "source": source_of(event.sample),
        "occurred_at": event.occurred_at,
        "decided_by": event.decided_by,
        "verdict": None if verdict is None else asdict(verdict),
        "turns": [asdict(turn) for turn in event.sample.turns],
    }
