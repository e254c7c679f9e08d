"""trainers: who reads the mix, and how far."""

from typing import Annotated

import typer

from services.commands.output import JsonOption, PipelineOption, RecipeOption, note, print_json, say, table
from services.errors import InputError
from services.mix.trainers import prefix, progress
from services.supervise import session
from services.supervise.session import Session
from streams.tail import last_records
from streams.topics import name as topic_name

trainers = typer.Typer(help="List the trainers that read the mix, or forget one.", no_args_is_help=True)


@trainers.command("list")
def list_(name: PipelineOption = None, recipe: RecipeOption = None, json: JsonOption = False) -> None:
    """List the trainers; the slowest one holds the mixer back."""
    chosen = session.choose(name, recipe)
    with session.opened(chosen, note) as opened:
        batches = _batches(opened)
        found = dict(progress(opened.broker, opened.pipeline))
    rows = [(trainer, wanted, max(0, batches - wanted)) for trainer, wanted in sorted(found.items())]
    if json:
        print_json([{"trainer": trainer, "next_batch": wanted, "behind": behind} for trainer, wanted, behind in rows])
    elif not rows:
        say("No trainer reads the mix of this pipeline")
    else:
        table("", ["trainer", "next batch", "batches behind"], rows)


@trainers.command()
def forget(
    trainer: Annotated[str, typer.Argument(help="Name of the trainer, as `list` shows it.")],
    name: PipelineOption = None,
    recipe: RecipeOption = None,
) -> None:
    """Forget a trainer, so that the mixer waits for it no more."""
    with session.opened(session.choose(name, recipe), note) as opened:
        known = progress(opened.broker, opened.pipeline)
        if trainer not in known:
            raise InputError(f"No trainer is called {trainer}; there are: {', '.join(sorted(known)) or 'none'}")
        opened.broker.forget(f"{prefix(opened.pipeline)}{trainer}")
    say(f"Trainer {trainer} is forgotten")


def _batches(opened: Session) -> int:
    records = last_records(opened.broker, topic_name(opened.pipeline, "mix"))
    return max((int(record.key or b"-1") for record in records), default=-1) + 1
