"""review: the samples that wait for a person, decided one by one until there is a page for it."""

import getpass
from typing import Annotated

import typer

from services import pipeline
from services.commands.output import JsonOption, PipelineOption, RecipeOption, note, print_json, say, table
from services.review.decide import decide, waiting
from services.review.ruling import REASONS, Ruling
from services.supervise import session

review = typer.Typer(help="Decide about the samples that wait for a person.", no_args_is_help=True)
_SampleArgument = Annotated[str, typer.Argument(metavar="SAMPLE_ID", help="The sample's id, as `list` shows it.")]
_CommentOption = Annotated[str, typer.Option(help="Kept with the decision.")]


@review.command("list")
def list_(
    name: PipelineOption = None,
    recipe: RecipeOption = None,
    json: JsonOption = False,
    most: Annotated[int, typer.Option("-n", min=1, help="How many at most.")] = 50,
) -> None:
    """List what waits, first what expires first."""
    with session.opened(session.choose(name, recipe), note) as opened:
        found = waiting(opened.broker, opened.codec, opened.pipeline)
    if json:
        print_json([line._asdict() for line in found[:most]])
        return
    rows = [(line.sample_id, line.reason, line.automatic, line.text) for line in found[:most]]
    if rows:
        table("", ["sample", "because", "automatic", "text"], rows)
    say(f"{len(found)} samples wait" if found else "Nothing waits for a person")


@review.command()
def accept(
    sample_id: _SampleArgument,
    comment: _CommentOption = "",
    name: PipelineOption = None,
    recipe: RecipeOption = None,
) -> None:
    """Accept a sample: it goes on to the mix."""
    _decide(name, recipe, sample_id, Ruling("accept", getpass.getuser(), comment=comment))


@review.command()
def reject(
    sample_id: _SampleArgument,
    reason: Annotated[
        list[str], typer.Option(help=f"Why: {', '.join(REASONS)} (with a comment); may be given several times.")
    ],
    comment: _CommentOption = "",
    name: PipelineOption = None,
    recipe: RecipeOption = None,
) -> None:
    """Reject a sample; a reason is needed."""
    _decide(name, recipe, sample_id, Ruling("reject", getpass.getuser(), tuple(reason), comment))


def _decide(name: PipelineOption, recipe: RecipeOption, sample_id: str, ruling: Ruling) -> None:
    with session.opened(session.choose(name, recipe), note) as opened:
        decide(opened.broker, opened.codec, opened.pipeline, sample_id=sample_id, ruling=ruling, now=pipeline.now())
    say(f"Sample {sample_id}: {ruling.decision}ed")
