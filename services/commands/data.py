"""ingest and reference: the human data of a pipeline."""

from dataclasses import asdict
from typing import Annotated

import typer

from services import pipeline
from services.commands.output import JsonOption, PipelineOption, RecipeOption, note, print_json, say
from services.commands.progress import bar
from services.ingest.inputs import find
from services.ingest.service import Ingest
from services.ingest.summary import Summary
from services.steering import accept_reference
from services.supervise import session


def ingest(
    paths: Annotated[list[str], typer.Argument(metavar="PATH...", help="Files, folders, or `package:NAME`.")],
    name: PipelineOption = None,
    recipe: RecipeOption = None,
    json: JsonOption = False,
) -> None:
    """Take in files, folders or packages as the recipe describes them.

    What is in the pipeline already is not taken in again. Bad lines are reported and kept as dead letters; the rest
    goes on.
    """
    chosen = session.choose(name, recipe)
    files = find(chosen.recipe, paths)
    with session.opened(chosen, note) as opened, bar("Ingesting") as progress:
        pipeline.prepare(opened.broker, opened.pipeline)
        stage = Ingest(pipeline.context(chosen.recipe, chosen.settings, opened.broker), files, progress)
        try:
            stage.start()
            while not stage.done:
                stage.step()
        finally:
            stage.close()
    _report(stage.summary, json=json)


def _report(done: Summary, *, json: bool) -> None:
    if json:
        print_json(asdict(done))
        return
    say(
        f"{done.read:,} read: {done.seed:,} to seed, {done.reference:,} to reference, {done.holdout:,} to holdout, "
        f"{done.candidates:,} candidates (not human), {done.marked:,} candidates (marked), {done.duplicates:,} "
        f"duplicates, {done.near:,} near-duplicates, {done.known:,} known, {done.bad:,} bad"
    )
    for told, lines in (("marked", done.first_marked), ("near", done.first_near), ("bad", done.first_bad)):
        for line in lines:
            say(f"  {told}: {line}")
    if done.marked:
        say(
            "Marked samples say that they are human and look like a model's; they are candidates, as other models' are."
        )
    if done.bad:
        say("All bad lines: `ballast dead list --stage ingest`. Mend the file and ingest it again; the rest is in.")


reference = typer.Typer(help="Decide which human data calibrates the checks.", no_args_is_help=True)


@reference.callback()
def _group() -> None:
    """Decide which human data calibrates the checks."""


@reference.command()
def accept(
    reason: Annotated[str, typer.Option(help="Why; it is kept with the version.")],
    name: PipelineOption = None,
    recipe: RecipeOption = None,
) -> None:
    """Make everything that is in `reference` now a new version; what comes later waits for the next."""
    chosen = session.choose(name, recipe)
    with session.opened(chosen, note) as opened:
        policy = accept_reference(opened.broker, opened.codec, opened.pipeline, reason=reason, now=pipeline.now())
    say(f"Reference version {policy.reference_version}: ends at {', '.join(map(str, policy.reference_end))}")
