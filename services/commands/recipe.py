"""recipe: what a recipe may hold, for editors."""

import typer

from services.commands.output import print_json
from services.recipe import Recipe

recipe = typer.Typer(help="Say what a recipe may hold, for editors.", no_args_is_help=True)


@recipe.callback()
def _group() -> None:
    """Say what a recipe may hold, for editors."""


@recipe.command()
def schema() -> None:
    """Print the JSON Schema of a recipe; name its file in the editor's settings for YAML."""
    print_json(
        {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Recipe", **Recipe.model_json_schema()}
    )
