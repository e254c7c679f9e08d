"""How commands speak: results on stdout, notes and progress on stderr and only on a terminal."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

PipelineOption = Annotated[
    str | None, typer.Option("--pipeline", help="Name of the pipeline; needed only if there are several.")
]
RecipeOption = Annotated[
    Path | None, typer.Option("--recipe", help="Recipe of the pipeline, where it was never started here.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]

_WIDE = 240  # a table in a pipe or file is not cut to a terminal's width


def console() -> Console:
    """Return the console for results."""
    return Console(highlight=False, soft_wrap=False) if sys.stdout.isatty() else Console(highlight=False, width=_WIDE)


def note(text: str) -> None:
    """Say on stderr what goes on, if a person looks."""
    if sys.stderr.isatty():
        Console(stderr=True, highlight=False).print(f"{text} ...", style="dim", markup=False)


def say(text: str) -> None:
    """Print one line of result, as it is."""
    console().print(text, markup=False, soft_wrap=not sys.stdout.isatty())


def print_json(data: Any) -> None:
    """Print a result for programs."""
    print(json.dumps(data, indent=2, ensure_ascii=False))


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print rows; numbers stand at the right."""
    shown = Table(title=title, title_justify="left", title_style="bold", header_style="bold", box=None, pad_edge=False)
    for number, column in enumerate(columns):
        right = bool(rows) and all(isinstance(row[number], int | float) or row[number] in ("", "-") for row in rows)
        shown.add_column(column, justify="right" if right else "left", overflow="fold")
    for row in rows:
        shown.add_row(*(cell(value) for value in row))
    console().print(shown)


def cell(value: object) -> str:
    """Return a value as a table shows it, with nothing in it taken for markup."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.3f}"
    return str(value).replace("[", r"\[")
