"""The checks that a recipe names, each made once."""

from collections.abc import Sequence
from typing import NamedTuple

import structlog

from services.recipe import Recipe, Verify
from services.verify import recognizers
from services.verify.check import Check
from services.verify.checks import jsontext, semantic
from services.verify.checks.classifier import Classifier
from services.verify.checks.code import Code
from services.verify.checks.contamination import Contamination
from services.verify.checks.depth import Depth
from services.verify.checks.distance import Distance
from services.verify.checks.duplicate import Duplicate
from services.verify.checks.fenced import TASK
from services.verify.checks.format import Format, ReadJson
from services.verify.checks.label import Label
from services.verify.checks.labels import Labels
from services.verify.checks.language import Language
from services.verify.checks.leak import Leak
from services.verify.checks.length import Length
from services.verify.checks.maths import Maths
from services.verify.checks.novelty import Novelty
from services.verify.checks.presidio import Presidio
from services.verify.checks.privacy import Privacy
from services.verify.checks.refusal import Refusal
from services.verify.checks.repetition import Repetition
from services.verify.checks.semantic import Semantic
from services.verify.checks.surprisal import Surprisal
from services.verify.checks.truncation import Truncation
from services.verify.checks.unsafe import Unsafe
from services.verify.consistency import Consistency
from services.verify.known import Known
from services.verify.meanings import Meanings
from services.verify.neighbour import Guide
from services.verify.pipeline import Checks
from services.verify.recognizers import Recognizers
from services.verify.sandbox import ready
from services.verify.sandbox.plain import WARNING
from services.verify.sandbox.sandbox import Sandbox, most_within
from services.verify.solver import Solver
from streams.processor import Limits

_LONGEST_BATCH = 50.0  # seconds
_SECONDS = {Semantic.name: 0.1}  # a text, three times what it takes on an idle core


class Fitted(NamedTuple):
    """The checks that are fitted on the reference, what knows human text, and what is to know meanings."""

    checks: Sequence[Check] = ()
    guide: Guide | None = None
    meanings: Meanings | None = None


NOTHING = Fitted()


def consistent(human: Consistency) -> Fitted:
    """Return the checks of `consistency`; `classifier` only where human documents tell how probable a label is."""
    classifier = [Classifier(human)] if human.knows_labels else []
    return Fitted((Surprisal(human), Length(human), Distance(human), Labels(human), *classifier), human)


def checks(recipe: Recipe, known: Known, fitted: Fitted = NOTHING, judge: Check | None = None) -> Checks:
    """Return the checks; `judge` asks models.

    Raises RecipeError for a JSON Schema that is none, UnavailableError where a sandbox is wanted and there is none.
    """
    verify = recipe.verify
    json = json_of(verify)
    quick: tuple[Check, ...] = (
        Format(verify.min_words, verify.max_words, json),
        Depth(verify.max_generation),
        Label(verify.labels),
        Truncation(known.seeds),
        Refusal(known.seeds),
        Leak(is_json=json is not None),
        Repetition(),
        Privacy(),
        Unsafe(),
        Language(known.seeds, verify.languages),
        Duplicate(known.texts, verify.near_duplicate),
        *([Novelty(known.prompts, verify.near_duplicate)] if known.prompts is not None else ()),
        Contamination(known.holdout, verify.contamination),
    )
    oracles: tuple[Check, ...] = (Maths(Solver()), *([Code(_sandbox(verify))] if runs_programs(recipe) else ()))
    meant = [Semantic(known.meanings, verify.semantic_false_flag)] if known.meanings else []
    costly = (*oracles, *_numbers(verify), *([judge] if judge else ()), *meant)
    return Checks(
        [*(check for check in quick if check.name in verify.checks), *fitted.checks],
        [check for check in costly if check.name in verify.checks],
        verify.near_duplicate if Duplicate.name in verify.checks else None,
        fitted.guide,
    )


def need_extras(recipe: Verify) -> None:
    """Raise UnavailableError if a check needs an extra that is missing. Imports nothing of it."""
    if Semantic.name in recipe.checks:
        semantic.require()
    if Presidio.name in recipe.checks:
        recognizers.require(recipe.presidio_model)


def runs_programs(recipe: Recipe) -> bool:
    """Tell whether answers are run, so that a sandbox is needed."""
    return recipe.task == TASK and Code.name in recipe.verify.checks


def asks_anew(recipe: Recipe) -> bool:
    """Tell whether new prompts are asked for, so that all prompts are to be remembered."""
    paid = any(not source.is_local for source in recipe.sources)
    return paid and Novelty.name in recipe.verify.checks


def most_records(recipe: Recipe) -> int:
    """Return how many records a batch may have.

    One whose programs all run for ever has to end in time; judges are asked about all of one at once.
    """
    verify, most = recipe.verify, Limits().records
    if runs_programs(recipe):
        most = min(most, most_within(_LONGEST_BATCH, ready.LIMITS))
    if seconds := sum(_SECONDS[check] for check in verify.checks if check in _SECONDS):
        most = min(most, round(_LONGEST_BATCH / seconds))
    return min(most, max(1, verify.concurrency // verify.votes)) if verify.judges else most


def json_of(recipe: Verify) -> ReadJson | None:
    """Return what reads a last turn as JSON of the recipe's schema; raises RecipeError for a schema that is none."""
    return jsontext.compiled(recipe.json_schema) if recipe.json_schema is not None else None


def _numbers(recipe: Verify) -> Sequence[Check]:
    wanted = Presidio.name in recipe.checks
    return [Presidio(Recognizers(recipe.presidio_score, recipe.presidio_model))] if wanted else []


def _sandbox(recipe: Verify) -> Sandbox:
    if recipe.sandbox == "process":
        structlog.get_logger().warning("sandbox", told=WARNING)
    return ready.tried(recipe.sandbox)
