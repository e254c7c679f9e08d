"""The command line: an index of the commands, each imported when it is called.

Exit codes: 0 well, 1 a check failed or something is not there, 2 usage or bad input, 3 collapse.
"""

import sys
from importlib import import_module
from typing import Annotated, Any, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from services.errors import InputError
from streams.errors import BallastError


class Entry(NamedTuple):
    """One command: the module in `services.commands` that has it, its panel in the help, and what it does."""

    module: str
    panel: str
    help: str


_RUN, _DATA, _LOOK, _STEER = "Run", "Data", "Look", "Steer"
COMMANDS: dict[str, Entry] = {
    "demo": Entry("demo", _RUN, "Show a pipeline at work on real text, one of whose models begins to feed on itself."),
    "check": Entry("check", _RUN, "Check a recipe and this machine with the very code of start-up."),
    "preview": Entry("preview", _RUN, "Show prompts as they would be sent, and what the models answer."),
    "plan": Entry("plan", _RUN, "Show how many calls, tokens, dollars and hours a recipe will take."),
    "recipe": Entry("recipe", _RUN, "Say what a recipe may hold, for editors."),
    "up": Entry("lifecycle", _RUN, "Start a pipeline: broker and all stages, in the background."),
    "status": Entry("lifecycle", _RUN, "Show what runs, how far it is behind and why, and what waits for a person."),
    "logs": Entry("lifecycle", _RUN, "Print the logs of the stages."),
    "down": Entry("lifecycle", _RUN, "Stop a pipeline and wait until it has ended."),
    "run": Entry("lifecycle", _RUN, "Run one slot of one stage in the foreground: what a container runs."),
    "ingest": Entry("data", _DATA, "Take in files, folders or packages as the recipe describes them."),
    "reference": Entry("data", _DATA, "Decide which human data calibrates the checks."),
    "report": Entry("report", _LOOK, "Write one HTML file: is the text collapsing, what was decided, and why."),
    "audit": Entry("look", _LOOK, "Check the conservation law: nothing lost, nothing twice, every cap kept."),
    "evaluate": Entry("evaluate", _LOOK, "Score a proxy, or your own model, on sets that it never trained on."),
    "rejects": Entry(
        "rejects", _LOOK, "Show what was rejected: counts by reason and source, and examples with the evidence."
    ),
    "cost": Entry("cost", _LOOK, "Show what models cost so far, for each accepted sample, and in the end."),
    "trace": Entry("look", _LOOK, "Show the way of a sample, back to its human ancestors."),
    "topics": Entry("look", _LOOK, "List the pipeline's topics; makes those that are missing."),
    "config": Entry("check", _LOOK, "Show every setting with the place it comes from."),
    "policy": Entry("policy", _STEER, "Set and show the largest synthetic share of a batch."),
    "review": Entry("review", _STEER, "Decide about the samples that wait for a person."),
    "reviewer": Entry("reviewer", _STEER, "Add, list and remove those who review on the page."),
    "dead": Entry("dead", _STEER, "Look at dead letters, and give them back to their stage."),
    "trainers": Entry("trainers", _STEER, "List the trainers that read the mix, or forget one."),
}


class _Index(TyperGroup):
    """Knows the commands by their entries and imports one only to run it or to show its own help."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - the signature is Typer's
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - the signature is Typer's
        entry = COMMANDS.get(cmd_name)
        return entry and TyperCommand(cmd_name, help=entry.help, rich_help_panel=entry.panel)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        self.commands = {name: self.get_command(ctx, name) for name in COMMANDS}  # for Typer's "did you mean"
        name, _, rest = super().resolve_command(ctx, args)
        return name, name and load(name), rest


def load(name: str) -> Any:
    """Import a command; its module has a function or a group of that name."""
    found = getattr(import_module(f"services.commands.{COMMANDS[name].module}"), name)
    if isinstance(found, typer.Typer):
        return get_command(found)
    alone = typer.Typer(add_completion=False)
    alone.command(name)(found)
    return get_command(alone)


app = typer.Typer(cls=_Index, add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)


@app.callback()
def _root(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """Keep a synthetic-data pipeline from collapsing: real data never leaves, and code caps the synthetic share."""


def main() -> None:
    """Run a command; an expected error is one sentence on stderr."""
    try:
        app()
    except BallastError as error:
        if "--debug" in sys.argv[1:2]:
            raise
        print(f"Error: {error}", file=sys.stderr)
        sys.exit(2 if isinstance(error, InputError) else 1)


if __name__ == "__main__":
    main()
