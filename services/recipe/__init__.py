"""The recipe: what a pipeline does, one YAML file; where it runs and what is secret lies in the environment.

Unknown keys are errors with a suggestion: a misspelt cap must never be a cap that does not hold.
"""

import difflib
from hashlib import blake2b
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, Field, ValidationError, model_validator

from services.groups import RESERVED
from services.recipe.asking import Personas, Strategies
from services.recipe.judging import OPTIONAL, Check, Judge, LabelRule, LabelRules, Review, Verify
from services.recipe.making import Generate, Hygiene, Seeds, Source, Split, Trained
from services.recipe.part import Name, Part, RecipeError
from services.recipe.quotas import Quotas
from services.recipe.served import Price, Served
from services.recipe.spending import Budget
from services.recipe.using import Evaluate, Mix, Monitor

__all__ = [
    "OPTIONAL",
    "Budget",
    "Check",
    "Evaluate",
    "Generate",
    "Hygiene",
    "Judge",
    "LabelRule",
    "LabelRules",
    "Mix",
    "Monitor",
    "Personas",
    "Price",
    "Quotas",
    "Recipe",
    "RecipeError",
    "Review",
    "Seeds",
    "Served",
    "Source",
    "Split",
    "Strategies",
    "Trained",
    "Verify",
    "load",
    "parse",
]


class Recipe(Part):
    """Everything that a pipeline does."""

    pipeline: Name = "ballast"
    task: str = "text"
    seeds: Seeds
    split: Split = Split()
    sources: tuple[Source, ...] = ()
    generate: Generate
    verify: Verify = Verify()
    review: Review = Review()
    mix: Mix = Mix()
    monitor: Monitor = Monitor()
    evaluate: Evaluate | None = Field(default=None, description="Takes scores by HTTP; without it nothing listens.")

    @model_validator(mode="after")
    def _names_differ(self) -> "Recipe":
        names = [*(source.name for source in self.sources), *(judge.name for judge in self.verify.judges)]
        if twice := [name for name in names if names.count(name) > 1]:
            raise ValueError(f"two models are called {twice[0]}; give each a name of its own")
        if taken := [name for name in names if name in RESERVED]:
            raise ValueError(f"a source can't be called {taken[0]}, which means something else; give it another name")
        return self

    @model_validator(mode="after")
    def _fall_backs_exist(self) -> "Recipe":
        names = {source.name for source in self.sources}
        for source in self.sources:
            if source.fall_back is not None and source.fall_back not in names - {source.name}:
                raise ValueError(f"the fall-back of source {source.name} is no other source; name one of `sources`")
        return self

    @model_validator(mode="after")
    def _judges_are_of_another_family(self) -> "Recipe":
        votes = self.verify.votes if self.verify.judges else 0
        for source in self.sources:
            others = [judge for judge in self.verify.judges if judge.family.casefold() != source.family.casefold()]
            if len(others) < votes:
                raise ValueError(
                    f"source {source.name} of family {source.family} has {len(others)} judges of another family and "
                    f"verify.votes asks for {votes}; add a judge of another family"
                )
        if len(self.verify.judges) < votes:
            raise ValueError(f"verify.votes asks for {votes} judges and there are {len(self.verify.judges)}; add some")
        return self

    @model_validator(mode="after")
    def _prices_are_known(self) -> "Recipe":
        for source in self.sources:
            is_limited = source.budget.is_of_money or self.generate.budget.is_of_money
            if is_limited and not source.is_local and source.price is None:
                raise ValueError(
                    f"a budget of dollars holds for source {source.name}, whose price is unknown; give its `price`, or "
                    "a budget of tokens instead"
                )
        for judge in self.verify.judges:
            if self.verify.budget.is_of_money and judge.price is None:
                raise ValueError(
                    f"a budget of dollars holds for judge {judge.name}, whose price is unknown; give its `price`, or "
                    "a budget of tokens instead"
                )
        return self

    @model_validator(mode="after")
    def _labels_have_sources(self) -> "Recipe":
        if self.generate.quotas is not None and self.generate.quotas.by == "label":
            for source in self.sources:
                if source.is_local:
                    raise ValueError(
                        f"the quotas are by label and source {source.name} of provider local makes samples without "
                        "one; remove it, or have quotas by domain"
                    )
        return self

    @property
    def version(self) -> str:
        """Hash of the content: two recipes that say the same have the same version."""
        return blake2b(self.model_dump_json().encode(), digest_size=8).hexdigest()


def load(path: Path) -> Recipe:
    """Read and check a recipe; raises RecipeError with one sentence that says what, where and what to do."""
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RecipeError(
            f"The recipe {path} cannot be read ({error.strerror}); give the path of a YAML file"
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        where = f" in line {mark.line + 1}" if (mark := getattr(error, "problem_mark", None)) else ""
        raise RecipeError(f"The recipe {path} is no YAML{where}; mend it there") from error
    if not isinstance(data, dict):
        raise RecipeError(f"The recipe {path} is no mapping; begin with `pipeline: name`")
    return parse(data, str(path))


def parse(data: dict[str, Any], where: str) -> Recipe:
    """Check the content of a recipe; `where` names it in the error."""
    try:
        return Recipe.model_validate(data)
    except ValidationError as error:
        raise RecipeError(f"The recipe {where}: {_told(error)}") from None


def _told(error: ValidationError) -> str:
    errors = error.errors(include_url=False)
    misspelt = (each for each in errors if each["type"] == "extra_forbidden")  # often why another key is missing
    first = next(misspelt, errors[0])
    place = ".".join(str(part) for part in first["loc"]) or "the whole"
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    if first["type"] == "extra_forbidden":
        key = str(first["loc"][-1])
        near = difflib.get_close_matches(key, _keys_beside(first["loc"]), 1)
        hint = f"did you mean `{near[0]}`?" if near else "remove it"
        return f"`{place}` is not a key of a recipe; {hint}{more}"
    return f"`{place}`: {first['msg'].removeprefix('Value error, ')}{more}"


def _keys_beside(place: tuple[int | str, ...]) -> list[str]:
    model: type[BaseModel] = Recipe
    for part in place[:-1]:
        if isinstance(part, str):
            model = _model_of(model.model_fields[part].annotation) or model
    return list(model.model_fields)


def _model_of(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for arm in getattr(annotation, "__args__", ()) if (found := _model_of(arm))), None)
