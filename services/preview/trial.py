"""The first calls of a recipe's plan, made of the seeds in its files, and what the models answer to them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from services.errors import InputError
from services.faults.unread import UNREAD
from services.generate.candidate import asked, candidates
from services.generate.corpus import MOST_DOCUMENTS, Training
from services.generate.local import LocalProvider
from services.generate.plan import Call, plan, seed_number, source_of, weights
from services.generate.prompts.templates import templates_of
from services.ingest.admission import Terms, admit, terms
from services.ingest.errors import UnfitError
from services.ingest.inputs import Input
from services.ingest.rows import Row
from services.ingest.split import Shares, place
from services.models.provider import Answer, Provider
from services.models.records import answered
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


def seeds(recipe: Recipe, files: Sequence[Input], most: int) -> list[Sample]:
    """Return the first seeds of the files, as ingest would take them in; raises InputError if there are none."""
    told, shares = terms(recipe), Shares(recipe.split.reference, recipe.split.holdout)
    found = islice((one for one in _samples(files, told) if place(one.content_hash, shares).pool == "seed"), most)
    if not (pool := list({one.sample_id: one for one in found}.values())):
        raise InputError(
            f"{recipe.seeds.path} has no sample that could be a seed; `ballast ingest` says of each line why"
        )
    return pool


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
    for index in indices:
        source = sources[source_of(index, weighted)]
        seed = pool[seed_number(index, len(pool), recipe.pipeline)]
        model = providers[source.name].model()
        yield plan(index, recipe, source, model, seed, pool=len(pool), templates=templates)


def tried(recipe: Recipe, call: Call, provider: Provider) -> Tried:
    """Make a call. Blocks; whatever keeps the model from answering is told in the result."""
    try:
        answer = provider.answer(call.request)
        sample = _sample(recipe, call, answer)
    except BallastError as error:
        return Tried(call, why=f"{call.source.name} gives no answer: {error}")
    unread = sample.tags.get(UNREAD)
    return Tried(call, sample, answer.cost, f"The answer can't be read: {unread}" if unread else "")


def _samples(files: Sequence[Input], told: Terms) -> Iterator[Sample]:
    for file in files:
        with file.path.open("rb") as raw:
            for item in file.read(raw, file.name):
                if isinstance(item, Row) and (one := _admitted(item, file, told)) is not None:
                    yield one


def _admitted(row: Row, file: Input, told: Terms) -> Sample | None:
    try:
        return admit(row, file.domain, told)
    except UnfitError:
        return None


def _sample(recipe: Recipe, call: Call, answer: Answer) -> Sample:
    record = answered(asked(call, recipe.task, 0, 1, 0, policy_version=-1), answer, 0)
    made = candidates(record, recipe.pipeline, RecipeVersion(name=recipe.pipeline, version=recipe.version), 0)
    if not made or not isinstance(made[0].event, SampleGenerated):
        raise InputError("The answer has no choices; look at the prompt")
    return made[0].event.sample
