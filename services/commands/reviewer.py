"""reviewer: who may come to the page of the review, and with which rights."""

import getpass
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from sqlite3 import Connection
from typing import Annotated, Literal

import typer

from services import pipeline
from services.commands.output import JsonOption, PipelineOption, RecipeOption, print_json, say, table
from services.errors import InputError
from services.review import people
from services.review.store import FILE, Store
from services.supervise import session

reviewer = typer.Typer(help="Add, list and remove those who review on the page.", no_args_is_help=True)
_NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Small letters, digits, dots and dashes.")]
_StdinOption = Annotated[bool, typer.Option("--password-stdin", help="Read the password from the first line of stdin.")]


@reviewer.command()
def add(
    who: _NameArgument,
    *,
    role: Annotated[
        Literal["reviewer", "lead", "viewer"],
        typer.Option(help="reviewer decides; lead also where two disagree; viewer only looks."),
    ],
    password_stdin: _StdinOption = False,
    name: PipelineOption = None,
    recipe: RecipeOption = None,
) -> None:
    """Add a reviewer; asks for a password twice."""
    password = _password(from_stdin=password_stdin)
    with _opened(name, recipe) as db:
        people.add(db, who, role, password)
    say(f"Reviewer {who} is added as {role}")


@reviewer.command("list")
def list_(name: PipelineOption = None, recipe: RecipeOption = None, json: JsonOption = False) -> None:
    """List all reviewers with their roles and open sessions."""
    with _opened(name, recipe) as db:
        found = people.listed(db, pipeline.now())
    if json:
        print_json([each._asdict() for each in found])
    elif found:
        table("", ["name", "role", "sessions"], found)
    else:
        say("There is no reviewer; add one with `ballast reviewer add NAME --role reviewer`")


@reviewer.command()
def remove(who: _NameArgument, name: PipelineOption = None, recipe: RecipeOption = None) -> None:
    """Remove a reviewer and end his sessions; what he has decided stays."""
    with _opened(name, recipe) as db:
        people.remove(db, who)
    say(f"Reviewer {who} is removed")


@reviewer.command()
def passwd(
    who: _NameArgument,
    *,
    password_stdin: _StdinOption = False,
    name: PipelineOption = None,
    recipe: RecipeOption = None,
) -> None:
    """Change a password, which ends the reviewer's sessions."""
    password = _password(from_stdin=password_stdin)
    with _opened(name, recipe) as db:
        people.change_password(db, who, password)
    say(f"Reviewer {who} has another password")


@contextmanager
def _opened(name: PipelineOption, recipe: RecipeOption) -> Iterator[Connection]:
    with closing(Store(session.choose(name, recipe).folder / FILE)) as store, store.transaction() as db:
        yield db


def _password(*, from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise InputError("There is no terminal to ask for the password; give it with --password-stdin")
    first = getpass.getpass("Password: ")
    if getpass.getpass("Again: ") != first:
        raise InputError("The two passwords differ; nothing was changed")
    return first
