"""verify: reads generate (state: seed, reference, holdout, decision, its own outputs), writes verify, reject, review.

Every candidate leaves with verdicts that say why, and with exactly one fate.
"""

import structlog

from services.recipe import Verify
from services.stage import Context, Stage
from services.verify.check import Check
from services.verify.checks import jsontext
from services.verify.checks.code import Code
from services.verify.checks.contamination import Contamination
from services.verify.checks.depth import Depth
from services.verify.checks.duplicate import Duplicate
from services.verify.checks.format import Format
from services.verify.checks.maths import Maths
from services.verify.checks.unsafe import Unsafe
from services.verify.handler import Handler
from services.verify.known import FATES, Known
from services.verify.minhash import shape
from services.verify.pipeline import Checks
from services.verify.sandbox import ready
from services.verify.sandbox.plain import WARNING
from services.verify.sandbox.sandbox import Sandbox, most_within
from services.verify.solver import Solver
from streams.processor import Limits, Processor, Wiring

_LONGEST_BATCH = 50.0  # seconds
_STATE = ("seed", "reference", "holdout", "verify", "review", "reject", "decision")
WIRING = Wiring("verify", ("generate",), _STATE, FATES)


def build(context: Context) -> Stage:
    """Return a verifier; raises RecipeError for a JSON Schema that is none, UnavailableError without a sandbox."""
    recipe = context.recipe.verify
    known = Known(context.codec, context.pipeline, shape(recipe.near_duplicate))
    return Processor(
        broker=context.broker,
        codec=context.codec,
        pipeline=context.pipeline,
        wiring=WIRING,
        slot=context.slot,
        handler=Handler(recipe, known, checks(recipe, known), context.now, context.metrics),
        limits=Limits(_most(recipe), dead_letters=context.dead_letter_limit),
        now=context.now,
        metrics=context.metrics,
    )


def checks(recipe: Verify, known: Known) -> Checks:
    """Return the checks that the recipe names."""
    json = jsontext.compiled(recipe.json_schema) if recipe.json_schema is not None else None
    quick: tuple[Check, ...] = (
        Format(recipe.min_words, recipe.max_words, json),
        Depth(recipe.max_generation),
        Duplicate(known.texts, recipe.near_duplicate),
        Contamination(known.holdout, recipe.contamination),
        Unsafe(),
    )
    oracles = [Code(_sandbox(recipe))] if Code.name in recipe.checks else []
    costly: tuple[Check, ...] = (Maths(Solver()), *oracles)
    return Checks(
        [check for check in quick if check.name in recipe.checks],
        [check for check in costly if check.name in recipe.checks],
        recipe.near_duplicate if Duplicate.name in recipe.checks else None,
    )


def _sandbox(recipe: Verify) -> Sandbox:
    if recipe.sandbox == "process":
        structlog.get_logger().warning("sandbox", told=WARNING)
    return ready.tried(recipe.sandbox)


def _most(recipe: Verify) -> int:
    """Return how many records a batch may have: one whose programs all run for ever has to end in time."""
    return most_within(_LONGEST_BATCH, ready.LIMITS) if Code.name in recipe.checks else Limits().records
