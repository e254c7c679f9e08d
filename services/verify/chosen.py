"""The checks that a recipe names, each made once."""

from collections.abc import Sequence

import structlog

from services.recipe import Verify
from services.verify.check import Check
from services.verify.checks import jsontext
from services.verify.checks.code import Code
from services.verify.checks.contamination import Contamination
from services.verify.checks.depth import Depth
from services.verify.checks.duplicate import Duplicate
from services.verify.checks.format import Format, ReadJson
from services.verify.checks.maths import Maths
from services.verify.checks.unsafe import Unsafe
from services.verify.known import Known
from services.verify.pipeline import Checks
from services.verify.sandbox import ready
from services.verify.sandbox.plain import WARNING
from services.verify.sandbox.sandbox import Sandbox, most_within
from services.verify.solver import Solver
from streams.processor import Limits

_LONGEST_BATCH = 50.0  # seconds


def checks(recipe: Verify, known: Known, consistent: Sequence[Check] = ()) -> Checks:
    """Return the checks; those of `consistency` are fitted on the reference.

    Raises RecipeError for a JSON Schema that is none, UnavailableError where a sandbox is wanted and there is none.
    """
    quick: tuple[Check, ...] = (
        Format(recipe.min_words, recipe.max_words, json_of(recipe)),
        Depth(recipe.max_generation),
        Duplicate(known.texts, recipe.near_duplicate),
        Contamination(known.holdout, recipe.contamination),
        Unsafe(),
    )
    oracles = [Code(_sandbox(recipe))] if Code.name in recipe.checks else []
    costly: tuple[Check, ...] = (Maths(Solver()), *oracles)
    return Checks(
        [*(check for check in quick if check.name in recipe.checks), *consistent],
        [check for check in costly if check.name in recipe.checks],
        recipe.near_duplicate if Duplicate.name in recipe.checks else None,
    )


def most_records(recipe: Verify) -> int:
    """Return how many records a batch may have: one whose programs all run for ever has to end in time."""
    return most_within(_LONGEST_BATCH, ready.LIMITS) if Code.name in recipe.checks else Limits().records


def json_of(recipe: Verify) -> ReadJson | None:
    """Return what reads a last turn as JSON of the recipe's schema; raises RecipeError for a schema that is none."""
    return jsontext.compiled(recipe.json_schema) if recipe.json_schema is not None else None


def _sandbox(recipe: Verify) -> Sandbox:
    if recipe.sandbox == "process":
        structlog.get_logger().warning("sandbox", told=WARNING)
    return ready.tried(recipe.sandbox)
