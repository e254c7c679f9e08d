"""verify: reads generate (state: seed, reference, holdout, decision, its own outputs), writes verify, reject, review.

Every candidate leaves with verdicts that say why, and with exactly one fate. With `consistency`, `local_judge` or
`semantic` it waits until a reference version is accepted, for that is what samples are held against. With judges it
writes their calls to response, and finds them there again.
"""

from collections.abc import Mapping
from pathlib import Path

import structlog

from services.artefact import TooFewError, chosen_of
from services.index.minhash import shape
from services.models.provider import Provider
from services.on_reference import OnReference
from services.reference import Accepted, accepted
from services.stage import Context, Stage
from services.verify import consistency, labelling
from services.verify.checks.local_judge import Suspicious
from services.verify.checks.semantic import Semantic, too_few
from services.verify.chosen import NOTHING, Fitted, asks_anew, checks, consistent, json_of, most_records, need_extras
from services.verify.conformal import shortage
from services.verify.handler import Handler
from services.verify.judges import connected, judge
from services.verify.known import FATES, Known
from services.verify.local_judge import LocalJudge
from services.verify.meanings import Meanings
from services.verify.vectors import Vectors
from streams.events import MixPolicySet
from streams.processor import Limits, Processor, Wiring

_STATE = ("seed", "reference", "holdout", "verify", "review", "reject", "decision")
_FITTED = frozenset({"consistency", Suspicious.name, Semantic.name})  # on the reference
_HUMAN = 2_000  # human documents that get a sentence vector: a minute's work, and the limit is known well enough
WIRING = Wiring("verify", ("generate",), _STATE, FATES)


def build(context: Context, judges: Mapping[str, Provider] | None = None) -> Stage:
    """Return a verifier; `judges`, by name, replace the models of the recipe's.

    Raises RecipeError for a JSON Schema that is none, InputError for a judge without a key, UnavailableError where a
    sandbox is wanted and there is none, or sentence vectors without their extra.
    """
    json_of(context.recipe.verify)
    need_extras(context.recipe.verify)
    models = connected(context) if judges is None else judges
    if not _FITTED.intersection(context.recipe.verify.checks):
        return _processor(context, models, NOTHING)
    return OnReference(context, WIRING.stage, lambda policy: _processor(context, models, _fitted(context, policy)))


def _processor(context: Context, judges: Mapping[str, Provider], fitted: Fitted) -> Processor:
    recipe = context.recipe
    near_duplicate, prompts = shape(recipe.verify.near_duplicate), asks_anew(recipe)
    known = Known(context.codec, context.pipeline, near_duplicate, prompts=prompts, meanings=fitted.meanings)
    return Processor(
        broker=context.broker,
        codec=context.codec,
        pipeline=context.pipeline,
        wiring=WIRING,
        slot=context.slot,
        handler=Handler(
            recipe.verify,
            known,
            checks(recipe, known, fitted, judge(context, known, judges)),
            context.now,
            context.metrics,
        ),
        limits=Limits(most_records(recipe), dead_letters=context.dead_letter_limit),
        now=context.now,
        metrics=context.metrics,
    )


def _fitted(context: Context, policy: MixPolicySet) -> Fitted:
    """Return what is fitted on the reference; nothing, and a sentence in the log, where that is too small."""
    try:
        reference = accepted(context.broker, context.codec, context.pipeline, policy, 0)
    except TooFewError as error:
        structlog.get_logger().warning("consistency", why=f"{error}; until then what is fitted on it flags nothing")
        return NOTHING
    verify = context.recipe.verify
    found = _consistent(reference, verify.false_flag) if "consistency" in verify.checks else NOTHING
    if Suspicious.name in verify.checks:
        judge = Suspicious(LocalJudge(reference.parts["fit"], reference.parts["checks"]))
        found = found._replace(checks=[*found.checks, judge])
    if Semantic.name in verify.checks:
        folder = context.spools / f"{WIRING.stage}-{context.slot}"
        found = found._replace(meanings=_meanings(reference, verify.semantic_false_flag, folder))
    return found


def _meanings(reference: Accepted, false_flag: float, folder: Path) -> Meanings | None:
    human = reference.parts["checks"]
    if (why := too_few(len(human), false_flag)) is not None:
        structlog.get_logger().warning("semantic", why=why)
        return None
    return Meanings(Vectors(folder), chosen_of(human)[:_HUMAN])


def _consistent(reference: Accepted, false_flag: float) -> Fitted:
    if (why := shortage(len(reference.parts["checks"]), false_flag)) is not None:
        structlog.get_logger().warning("consistency", why=why)
        return NOTHING
    known, seeds = labelling.fit([*reference.parts["fit"], *reference.seeds]), reference.seeds
    human = consistency.fit(reference.artefact, reference.parts["checks"], seeds, false_flag, known)
    structlog.get_logger().info("consistency", reference=reference.artefact.version, flagged_below=human.level)
    return consistent(human)
