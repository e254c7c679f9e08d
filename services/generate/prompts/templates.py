"""The templates of a recipe, ours or its own, checked before anything is asked.

A template is the rules, a system turn; the seed follows as a user's turn between marks, so that no template can mistake
it for rules. A template may use `mark`, `persona`, `fields`, `structured` and `words`, and include the shared pieces.
"""

import difflib
import re
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import get_args

from jinja2 import DictLoader, StrictUndefined, TemplateError, TemplateSyntaxError
from jinja2.meta import find_referenced_templates, find_undeclared_variables
from jinja2.sandbox import ImmutableSandboxedEnvironment

from services.generate.form import form_of
from services.generate.variety import attributes, persona_of
from services.models.marked import Part, mark_of
from services.recipe import Recipe, RecipeError
from streams.samples import Strategy, Turn, digest

STRATEGIES: tuple[Strategy, ...] = tuple(each for each in get_args(Strategy) if each != "unknown")
VARIABLES = ("mark", "persona", "fields", "structured", "words")
TASKS = ("text", "instruction", "chat", "classification", "math", "code")
_GAPS = re.compile(r"\n{3,}")  # what a piece that says nothing leaves
_SHARED = ("marks", "persona", "form", "seed")
_FAILURES = (ArithmeticError, LookupError, TypeError, ValueError)  # of expressions in a template
_OURS = files("services.generate.prompts")


class Templates:
    """One task's templates by strategy; raises RecipeError for one that is missing or fails on a persona."""

    def __init__(self, task: str, folder: Path | None, persona: Mapping[str, str]) -> None:
        shared = {f"{name}.jinja": _ours(name) for name in _SHARED}
        texts = {str(strategy): _text(task, strategy, folder) for strategy in STRATEGIES}
        self._task = task
        self._environment = ImmutableSandboxedEnvironment(
            loader=DictLoader({**shared, **texts}),
            undefined=StrictUndefined,
            autoescape=False,
            keep_trailing_newline=True,
        )
        for strategy in STRATEGIES:
            self._check(file_of(task, strategy), texts[strategy])
            self.fill(strategy, [Part("text", "one")], persona, 1, structured=False)
        self._hashes = {strategy: digest("prompt", *shared.values(), text) for strategy, text in texts.items()}

    def hash(self, strategy: Strategy) -> str:
        """Name the text of a strategy's template, the shared pieces included."""
        return self._hashes[strategy]

    def fill(
        self, strategy: Strategy, parts: list[Part], persona: Mapping[str, str], words: int, *, structured: bool
    ) -> tuple[Turn, ...]:
        """Return the prompt: rules, then the parts of the seed; raises RecipeError for a template that fails on it."""
        mark, fields = mark_of(parts), form_of(self._task, strategy)
        given = {"mark": mark, "persona": persona, "fields": fields, "structured": structured, "words": words}
        try:
            rules = self._environment.get_template(strategy).render(given)
        except (TemplateError, *_FAILURES) as error:
            raise RecipeError(
                f"The template {file_of(self._task, strategy)} can't be filled ({error}); mend it"
            ) from error
        seed = self._environment.get_template("seed.jinja").render(mark=mark, parts=parts)
        return Turn(role="system", text=_GAPS.sub("\n\n", rules).strip()), Turn(role="user", text=seed.strip())

    def _check(self, name: str, text: str) -> None:
        try:
            tree = self._environment.parse(text)
            self._environment.compile(text)
        except TemplateSyntaxError as error:
            raise RecipeError(
                f"The template {name} is no Jinja in line {error.lineno} ({error.message}); mend it"
            ) from error
        for variable in sorted(find_undeclared_variables(tree) - set(VARIABLES)):
            near = difflib.get_close_matches(variable, VARIABLES, 1) or [f"they are {', '.join(VARIABLES)}"]
            hint = f"did you mean `{near[0]}`?" if near[0] in VARIABLES else near[0]
            raise RecipeError(f"The template {name} uses `{variable}`, which no template is given; {hint}")
        for included in find_referenced_templates(tree):
            if included not in {f"{shared}.jinja" for shared in _SHARED}:
                raise RecipeError(f"The template {name} includes {included}; only {', '.join(_SHARED)} can be included")


def templates_of(recipe: Recipe) -> Templates | None:
    """Return the templates of a recipe's task, or None if all of its models are local; raises RecipeError."""
    if all(source.is_local for source in recipe.sources):
        return None
    return Templates(recipe.task, recipe.generate.prompts, persona_of(0, attributes(recipe.generate.personas)))


def file_of(task: str, strategy: str) -> str:
    """Return the file name of a template, in our folder and in a recipe's."""
    return f"{task}_{strategy}.jinja"


def _text(task: str, strategy: Strategy, folder: Path | None) -> str:
    name = file_of(task, strategy)
    if folder is None:
        if task not in TASKS:
            raise RecipeError(f"Task {task} has no prompts of ours; give a folder with {name} as `generate.prompts`")
        return _ours(name.removesuffix(".jinja"))
    try:
        return (folder / name).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        names = ", ".join(file_of(task, each) for each in STRATEGIES)
        raise RecipeError(f"`generate.prompts`: {folder / name} can't be read; the folder needs {names}") from error


def _ours(name: str) -> str:
    return _OURS.joinpath(f"{name}.jinja").read_text("utf-8")
