"""dead: events that a stage could not handle. A rejected sample is none: that is a good event about a bad sample."""

from dataclasses import asdict
from typing import Annotated, Any

import typer

from services.books import letters
from services.books.letters import Letter
from services.commands.output import JsonOption, PipelineOption, RecipeOption, note, print_json, say, table
from services.errors import InputError
from services.supervise import session
from services.supervise.session import Session
from streams.errors import DecodeError, UnknownSchemaError

dead = typer.Typer(help="Look at dead letters, and give them back to their stage.", no_args_is_help=True)
_StageOption = Annotated[str | None, typer.Option("--stage", help="Only those of one stage.")]
_BYTES_SHOWN = 2_000


@dead.command("list")
def list_(
    stage: _StageOption = None, name: PipelineOption = None, recipe: RecipeOption = None, json: JsonOption = False
) -> None:
    """List the dead letters of all stages, or of one."""
    with session.opened(session.choose(name, recipe), note) as opened:
        found = _of(opened, stage)
    if json:
        print_json([_plain(letter) for letter in found])
    elif not found:
        say("There are no dead letters")
    else:
        rows = [(x.event.event_id, x.event.stage, x.event.reason, x.replayed, x.event.explanation) for x in found]
        table("", ["dead letter", "stage", "reason", "replayed", "explanation"], rows)


@dead.command()
def show(
    letter_id: Annotated[str, typer.Argument(metavar="ID", help="As `list` shows it; its beginning is enough.")],
    name: PipelineOption = None,
    recipe: RecipeOption = None,
    json: JsonOption = False,
) -> None:
    """Show one dead letter with its original bytes, decoded if they can be."""
    with session.opened(session.choose(name, recipe), note) as opened:
        letter = _one(_of(opened, None), letter_id)
        shown = _plain(letter) | {"decoded": _decoded(opened, letter)}
    if json:
        print_json(shown)
        return
    for key, value in shown.items():
        say(f"{key:17} {value}")


@dead.command()
def replay(
    letter_ids: Annotated[list[str] | None, typer.Argument(metavar="ID...", help="As `list` shows them.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All that a stage can read again.")] = False,
    stage: _StageOption = None,
    name: PipelineOption = None,
    recipe: RecipeOption = None,
) -> None:
    """Give dead letters back to their stage, each once: mend the stage first.

    The original bytes go to the topic `redo.STAGE`, which that stage alone reads.
    """
    if bool(letter_ids) == every:
        raise InputError("Say which dead letters to replay: give their ids, or --all")
    with session.opened(session.choose(name, recipe), note) as opened:
        found = _of(opened, stage)
        chosen = [_one(found, each) for each in letter_ids or []] or [x for x in found if letters.can_be_replayed(x)]
        count = letters.replay(
            opened.broker, opened.codec, opened.pipeline, [letter.event.event_id for letter in chosen]
        )
    left = len(found) - len(chosen) if every else 0
    say(f"{count} replayed; {len(chosen) - count} were replayed before")
    if left:
        say(f"{left} cannot be: those of ingest and mix. Mend the file and ingest it again.")


def _of(opened: Session, stage: str | None) -> list[Letter]:
    found = letters.read(opened.broker, opened.codec, opened.pipeline)
    return [letter for letter in found if stage in (None, letter.event.stage)]


def _one(found: list[Letter], start: str) -> Letter:
    fitting = [letter for letter in found if letter.event.event_id.startswith(start)]
    if not fitting:
        raise InputError(f"There is no dead letter {start}; `ballast dead list` shows what there is")
    if len(fitting) > 1:
        raise InputError(f"{len(fitting)} dead letters start with {start}; give more of the id")
    return fitting[0]


def _plain(letter: Letter) -> dict[str, Any]:
    event = asdict(letter.event)
    for field in ("key", "value"):
        event[field] = None if event[field] is None else _text(event[field])
    return event | {"offset": letter.offset, "replayed": letter.replayed}


def _text(data: bytes) -> str:
    """Return bytes as text where they are text, else as hexadecimal digits."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = data.hex()
    return text if text.isprintable() else data.hex()


def _decoded(opened: Session, letter: Letter) -> str:
    try:
        return str(opened.codec.decode(letter.event.value or b""))[:_BYTES_SHOWN]
    except (DecodeError, UnknownSchemaError) as error:
        return f"no event: {error}"
