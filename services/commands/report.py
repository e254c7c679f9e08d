"""report: one HTML file with the curves of a pipeline."""

import os
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Annotated

import typer

from services import pipeline
from services.books import strata as books
from services.commands.output import PipelineOption, RecipeOption, note, say
from services.errors import InputError
from services.report import log as read_log
from services.report import strata
from services.report.page import Facts, page
from services.supervise import session
from services.supervise.session import Session


def report(
    out: Annotated[
        Path | None, typer.Option("--out", help="Where to write it; else PIPELINE-report.html in this folder.")
    ] = None,
    name: PipelineOption = None,
    recipe: RecipeOption = None,
) -> None:
    """Write one HTML file: is the text collapsing, what was decided, and why.

    The file needs no network and no program but a browser. Reads the whole log, also while the stages run.
    """
    chosen = session.choose(name, recipe)
    with session.opened(chosen, note) as opened:
        facts = _facts(opened, pipeline.now())
    path = (out or Path(f"{chosen.name}-report.html")).absolute()
    write(path, page(facts))
    say(str(path))


def write(path: Path, text: str) -> None:
    """Write a file whole or not at all; raises InputError where it can't be written."""
    try:
        with NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            part = Path(file.name)
            try:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
                part.chmod(0o644)
                part.replace(path)
            except BaseException:
                part.unlink(missing_ok=True)
                raise
    except OSError as error:
        raise InputError(
            f"The report {path} can't be written ({error.strerror}); give another place with --out"
        ) from error


def _facts(opened: Session, now: int) -> Facts:
    note(f"Reading the log of pipeline {opened.pipeline}")
    found = read_log.read(opened.broker, opened.codec, opened.pipeline)
    note("Comparing with the reference")
    policy = found.policies[-1] if found.policies else None
    mix = opened.chosen.recipe.mix
    return Facts(
        pipeline=opened.pipeline,
        log=found,
        reach=strata.find(opened.broker, opened.codec, opened.pipeline, policy),
        recipe_cap=mix.max_synthetic_share,
        floor=mix.floor,
        now=now,
        wanted=books.read(opened.broker, opened.codec, opened.pipeline, opened.chosen.recipe.generate.quotas),
    )
