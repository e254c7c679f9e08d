"""verify: reads generate (state: seed, reference, holdout, decision, its own outputs), writes verify, reject, review.

Every candidate leaves with verdicts that say why, and with exactly one fate.
"""

from services.recipe import Verify
from services.stage import Context, Stage
from services.verify.check import Check
from services.verify.checks import jsontext
from services.verify.checks.contamination import Contamination
from services.verify.checks.depth import Depth
from services.verify.checks.duplicate import Duplicate
from services.verify.checks.format import Format
from services.verify.checks.maths import Maths
from services.verify.handler import Handler
from services.verify.known import FATES, Known
from services.verify.minhash import shape
from services.verify.pipeline import Checks
from services.verify.solver import Solver
from streams.processor import Limits, Processor, Wiring

_STATE = ("seed", "reference", "holdout", "verify", "review", "reject", "decision")
WIRING = Wiring("verify", ("generate",), _STATE, FATES)


def build(context: Context) -> Stage:
    """Return a verifier; raises RecipeError for a JSON Schema that is none."""
    recipe = context.recipe.verify
    known = Known(context.codec, context.pipeline, shape(recipe.near_duplicate))
    return Processor(
        broker=context.broker,
        codec=context.codec,
        pipeline=context.pipeline,
        wiring=WIRING,
        slot=context.slot,
        handler=Handler(recipe, known, checks(recipe, known), context.now, context.metrics),
        limits=Limits(dead_letters=context.dead_letter_limit),
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
    )
    costly: tuple[Check, ...] = (Maths(Solver()),)
    return Checks(
        [check for check in quick if check.name in recipe.checks],
        [check for check in costly if check.name in recipe.checks],
        recipe.near_duplicate if Duplicate.name in recipe.checks else None,
    )
