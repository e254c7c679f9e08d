"""verify: reads generate (state: seed, reference, holdout, decision, its own outputs), writes verify, reject, review.

Every candidate leaves with verdicts that say why, and with exactly one fate. With `consistency` it waits until a
reference version is accepted, for that is what samples are held against.
"""

from collections.abc import Sequence

import structlog

from services.artefact import TooFewError
from services.on_reference import OnReference
from services.reference import accepted
from services.stage import Context, Stage
from services.verify import consistency
from services.verify.check import Check
from services.verify.checks.distance import Distance
from services.verify.checks.labels import Labels
from services.verify.checks.length import Length
from services.verify.checks.surprisal import Surprisal
from services.verify.chosen import checks, json_of, most_records
from services.verify.conformal import shortage
from services.verify.handler import Handler
from services.verify.known import FATES, Known
from services.verify.minhash import shape
from streams.events import MixPolicySet
from streams.processor import Limits, Processor, Wiring

_STATE = ("seed", "reference", "holdout", "verify", "review", "reject", "decision")
WIRING = Wiring("verify", ("generate",), _STATE, FATES)


def build(context: Context) -> Stage:
    """Return a verifier; raises RecipeError for a JSON Schema that is none, UnavailableError without a sandbox."""
    json_of(context.recipe.verify)
    if "consistency" not in context.recipe.verify.checks:
        return _processor(context, ())
    return OnReference(context, WIRING.stage, lambda policy: _processor(context, _consistent(context, policy)))


def _processor(context: Context, consistent: Sequence[Check]) -> Processor:
    recipe = context.recipe
    known = Known(context.codec, context.pipeline, shape(recipe.verify.near_duplicate))
    return Processor(
        broker=context.broker,
        codec=context.codec,
        pipeline=context.pipeline,
        wiring=WIRING,
        slot=context.slot,
        handler=Handler(recipe.verify, known, checks(recipe, known, consistent), context.now, context.metrics),
        limits=Limits(most_records(recipe), dead_letters=context.dead_letter_limit),
        now=context.now,
        metrics=context.metrics,
    )


def _consistent(context: Context, policy: MixPolicySet) -> Sequence[Check]:
    """Return the checks of `consistency`; none, and a sentence in the log, where there is too little reference."""
    false_flag = context.recipe.verify.false_flag
    try:
        reference = accepted(context.broker, context.codec, context.pipeline, policy, 0)
    except TooFewError as error:
        structlog.get_logger().warning("consistency", why=f"{error}; until then `consistency` flags nothing")
        return ()
    if (why := shortage(len(reference.parts["checks"]), false_flag)) is not None:
        structlog.get_logger().warning("consistency", why=why)
        return ()
    human = consistency.fit(reference.artefact, reference.parts["checks"], reference.seeds, false_flag)
    structlog.get_logger().info("consistency", reference=policy.reference_version, flagged_below=human.level)
    return Surprisal(human), Length(human), Distance(human), Labels(human)
