"""The calls of a recipe's plan, made of the seeds in its files, and what the models answer to them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from services.errors import InputError
from services.faults.unread import UNREAD
from services.generate.candidate import asked, candidates
from services.generate.corpus import MOST_DOCUMENTS, Training
from services.generate.local import LocalProvider
from services.generate.plan import Call, plan, source_of, weights
from services.generate.prompts.templates import templates_of
from services.models.provider import Answer, Provider
from services.models.records import answered
from services.preview.order import seed_numbers
from services.recipe import Recipe
from streams.errors import BallastError
from streams.events import SampleGenerated
from streams.samples import RecipeVersion, Sample


class Tried(NamedTuple):
    """A call, and the sample that came of it, or why none did."""

    call: Call
    sample: Sample | None = None
    cost: float | None = None
    why: str = ""


def calls(
    recipe: Recipe, pool: Sequence[Sample], providers: Mapping[str, Provider], indices: Iterable[int]
) -> Iterator[Call]:
    """Yield calls of the plan as this pool would have them; raises RecipeError for prompts that can't be made."""
    weighted = weights(recipe.sources, {})
    if not weighted:
        raise InputError("No source of the recipe has a weight above 0; name one under `sources`")
    sources = {source.name: source for source in recipe.sources}
    templates = templates_of(recipe)
    for each in providers.values():
        if isinstance(each, LocalProvider):
            each.learn(Training([seed.turns[0].text for seed in pool[:MOST_DOCUMENTS]], 0))
    for index, number in seed_numbers(recipe, pool, indices):
        source = sources[source_of(index, weighted)]
        model = providers[source.name].model()
        yield plan(index, recipe, source, model, pool[number], pool=len(pool), templates=templates)


def tried(recipe: Recipe, call: Call, provider: Provider) -> Tried:
    """Make a call. Blocks; whatever keeps the model from answering is told in the result."""
    try:
        answer = provider.answer(call.request)
        sample = _sample(recipe, call, answer)
    except BallastError as error:
        return Tried(call, why=f"{call.source.name} gives no answer: {error}")
    unread = sample.tags.get(UNREAD)
    return Tried(call, sample, answer.cost, f"The answer can't be read: {unread}" if unread else "")


def _sample(recipe: Recipe, call: Call, answer: Answer) -> Sample:
    record = answered(asked(call, recipe.task, 0, 1, 0, policy_version=-1), answer, 0)
    made = candidates(record, recipe.pipeline, RecipeVersion(name=recipe.pipeline, version=recipe.version), 0)
    if not made or not isinstance(made[0].event, SampleGenerated):
        raise InputError("The answer has no choices; look at the prompt")
    return made[0].event.sample
