"""verify: reads generate (state: seed, reference, holdout, decision, its own outputs), writes verify, reject, review.

With judges it writes their calls to response, and finds them there again. Every candidate leaves with verdicts that say
why, and with exactly one fate.
"""

from collections.abc import Mapping

from services.models.door import connect
from services.models.endpoint import endpoint
from services.models.provider import Provider
from services.recipe import Verify
from services.stage import Context, Stage
from services.verify.check import Check
from services.verify.checks import jsontext
from services.verify.checks.contamination import Contamination
from services.verify.checks.depth import Depth
from services.verify.checks.duplicate import Duplicate
from services.verify.checks.format import Format
from services.verify.checks.judge import Judge
from services.verify.checks.maths import Maths
from services.verify.handler import Handler
from services.verify.judge_calls import JudgeCalls
from services.verify.known import FATES, Known
from services.verify.minhash import shape
from services.verify.pipeline import Checks
from services.verify.solver import Solver
from streams.processor import Limits, Processor, Wiring

_STATE = ("seed", "reference", "holdout", "verify", "review", "reject", "decision")
WIRING = Wiring("verify", ("generate",), _STATE, FATES)


def build(context: Context, judges: Mapping[str, Provider] | None = None) -> Stage:
    """Return a verifier; `judges`, by name, replace the models of the recipe's.

    Raises RecipeError for a JSON Schema that is none, InputError for a judge without a key.
    """
    recipe = context.recipe.verify
    known = Known(context.codec, context.pipeline, shape(recipe.near_duplicate))
    return Processor(
        broker=context.broker,
        codec=context.codec,
        pipeline=context.pipeline,
        wiring=WIRING,
        slot=context.slot,
        handler=Handler(
            recipe, known, checks(recipe, known, _judge(context, known, judges)), context.now, context.metrics
        ),
        limits=_limits(context),
        now=context.now,
        metrics=context.metrics,
    )


def checks(recipe: Verify, known: Known, judge: Judge | None = None) -> Checks:
    """Return the checks that the recipe names."""
    json = jsontext.compiled(recipe.json_schema) if recipe.json_schema is not None else None
    quick: tuple[Check, ...] = (
        Format(recipe.min_words, recipe.max_words, json),
        Depth(recipe.max_generation),
        Duplicate(known.texts, recipe.near_duplicate),
        Contamination(known.holdout, recipe.contamination),
    )
    costly: tuple[Check, ...] = (Maths(Solver()), *([judge] if judge else []))
    return Checks(
        [check for check in quick if check.name in recipe.checks],
        [check for check in costly if check.name in recipe.checks],
        recipe.near_duplicate if Duplicate.name in recipe.checks else None,
    )


def _judge(context: Context, known: Known, judges: Mapping[str, Provider] | None) -> Judge | None:
    recipe = context.recipe.verify
    if not recipe.judges:
        return None
    calls = JudgeCalls(
        broker=context.broker,
        codec=context.codec,
        pipeline=context.pipeline,
        slot=context.slot,
        judges=judges or {each.name: connect(endpoint(each, context.keys), context.metrics) for each in recipe.judges},
        fates=known.fates,
        concurrency=max(recipe.concurrency, recipe.votes),
        now=context.now,
    )
    return Judge(recipe.judges, recipe.votes, recipe.judge_floor, calls)


def _limits(context: Context) -> Limits:
    """Return how much a batch holds: with judges so little that all of it is asked about at once."""
    recipe, most = context.recipe.verify, context.dead_letter_limit
    if not recipe.judges:
        return Limits(dead_letters=most)
    return Limits(records=max(1, recipe.concurrency // recipe.votes), dead_letters=most)
