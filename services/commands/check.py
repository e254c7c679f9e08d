"""check and config: whether a recipe can run here, and where each setting comes from."""

from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import BaseModel, SecretStr

from services.commands.output import JsonOption, PipelineOption, RecipeOption, console, print_json, table
from services.commands.progress import fetching
from services.supervise import readiness, session
from services.supervise.readiness import Finding
from services.supervise.session import Chosen


def check(
    path: Annotated[Path, typer.Argument(metavar="RECIPE", help="The recipe's YAML file.")], json: JsonOption = False
) -> None:
    """Check a recipe and this machine with the very code of start-up.

    Sources and judges behind an address are asked whether they are there, which costs nothing. Exit code 1 if it can't
    run here, 2 if the recipe itself is wrong. Nothing is started and no topic is written.
    """
    chosen = session.choose(None, path)
    with fetching() as progress:
        found = [Finding("recipe", True, f"pipeline {chosen.name}, version {chosen.recipe.version}")]
        found += readiness.findings(chosen, progress)
    told = [*readiness.warnings(chosen.recipe), *(note for each in found for note in each.notes)]
    if json:
        shown = [{"name": each.name, "ok": each.ok, "told": each.told} for each in found]
        print_json({"ok": all(each.ok for each in found), "checks": shown, "warnings": told})
    else:
        for each in found:
            console().print(f"{'[green]ok[/]  ' if each.ok else '[red]no[/]  '} {each.name}: ", end="")
            console().print(each.told, markup=False, soft_wrap=True)
        for warning in told:
            console().print(f"[yellow]note[/] {warning.replace('[', chr(92) + '[')}", soft_wrap=True)
    if not all(each.ok for each in found):
        raise typer.Exit(1)


config = typer.Typer(help="Show every setting with the place it comes from.", no_args_is_help=True)


@config.callback()
def _group() -> None:
    """Show every setting with the place it comes from."""


@config.command()
def show(name: PipelineOption = None, recipe: RecipeOption = None, json: JsonOption = False) -> None:
    """Print each value and where it comes from: environment, recipe or default. Secrets are masked."""
    chosen = session.choose(name, recipe)
    rows = [*_settings(chosen), *_values(chosen.recipe, "")]
    if json:
        print_json([{"name": key, "value": value, "from": source} for key, value, source in rows])
    else:
        table("", ["name", "value", "from"], [(key, _shown(value), source) for key, value, source in rows])


def _settings(chosen: Chosen) -> list[tuple[str, Any, str]]:
    given = chosen.settings.model_fields_set
    return [
        (
            "JAVA_HOME" if key == "java_home" else f"BALLAST_{key.upper()}",
            _plain(getattr(chosen.settings, key)),
            "environment" if key in given else "default",
        )
        for key in type(chosen.settings).model_fields
    ]


def _values(part: BaseModel, path: str) -> list[tuple[str, Any, str]]:
    rows: list[tuple[str, Any, str]] = []
    for key in type(part).model_fields:
        value = getattr(part, key)
        if isinstance(value, BaseModel):
            rows += _values(value, f"{path}{key}.")
        elif isinstance(value, tuple) and value and all(isinstance(each, BaseModel) for each in value):
            for number, each in enumerate(value):
                rows += _values(each, f"{path}{key}.{number}.")
        else:
            rows.append((f"{path}{key}", _plain(value), "recipe" if key in part.model_fields_set else "default"))
    return rows


def _plain(value: Any) -> Any:
    if isinstance(value, SecretStr):
        return "********"
    if isinstance(value, Path):
        return str(value)
    return list(value) if isinstance(value, tuple) else value


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "-" if value is None or value == {} else str(value)
