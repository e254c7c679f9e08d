"""The plan: call i of it is the same call in every slot and after every restart, as long as nothing changed.

A call that draws a seed again leaves the seed that the plan has for it to the next pass.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from services.generate.content import content_of
from services.generate.form import form_of, schema_of
from services.generate.prompts.shown import OPENING_WORDS, opening, parts_of
from services.generate.prompts.templates import Templates
from services.generate.strategies import strategy_of
from services.generate.variety import TEMPERATURES, attributes, persona_of, range_of, step_of
from services.models.cost import FREE, Cost, worst
from services.models.provider import Model, Request
from services.recipe import Recipe, Source
from streams.parts import Content
from streams.permutation import permuted
from streams.samples import Sample, Strategy, Turn, digest

_GOLDEN = 0.6180339887498949
_BLOCK = 1_024
_HOTTEST = {"anthropic": 1.0}  # more is refused


class Call(NamedTuple):
    """Everything that one call is; `kept` is what its sample keeps of the seed, `worst` the most that it can cost."""

    source: Source
    model: Model
    strategy: Strategy
    seed: Sample
    request: Request
    prompt_hash: str
    persona: str | None = None
    kept: Content | None = None
    worst: Cost = FREE


class _Asked(NamedTuple):
    """What is asked, and how."""

    strategy: Strategy
    prompt: tuple[Turn, ...]
    prompt_hash: str
    persona: str | None = None
    kept: Content | None = None
    is_structured: bool = False


def weights(sources: Sequence[Source], policy: Mapping[str, float]) -> dict[str, float]:
    """Return each source's weight: the recipe's times the policy's; a source of weight 0 is not drawn."""
    found = {source.name: source.weight * policy.get(source.name, 1.0) for source in sources}
    return {name: weight for name, weight in found.items() if weight > 0}


def source_of(call_index: int, weighted: Mapping[str, float]) -> str:
    """Return the call's source; shares of n calls stay within a few calls of the weights (additive recurrence)."""
    place = (call_index * _GOLDEN) % 1.0 * sum(weighted.values())
    for name, weight in weighted.items():
        place -= weight
        if place < 0:
            return name
    return list(weighted)[-1]


def seed_number(call_index: int, pool: int, key: str) -> int:
    """Return which of `pool` seeds the call starts from: every pass draws each seed once, in an order of its own."""
    turn, place = divmod(call_index, pool)
    block, within = divmod(place, _BLOCK)
    return _order(f"{key}/{turn}", pool, block)[within]


def temperature_of(call_index: int, source: Source, spread: tuple[float, float]) -> float:
    """Return the source's own temperature, or one of five even steps of a range, as far as its vendor goes."""
    if source.temperature is not None:
        return source.temperature
    low, high = (min(end, _HOTTEST.get(source.provider, end)) for end in spread)
    return round(low + (high - low) * step_of(call_index) / (TEMPERATURES - 1), 6)


def plan(
    call_index: int,
    recipe: Recipe,
    source: Source,
    model: Model,
    seed: Sample,
    *,
    pool: int,
    templates: Templates | None,
) -> Call:
    """Return call `call_index` of the plan over a pool of seeds.

    Local models have no templates: they go on from the opening of a text, else they are given the seed's first turn.
    """
    asked = _continued(recipe, seed)
    if templates is not None and not source.is_local:
        asked = _asked(call_index, recipe, source, seed, pool=pool, templates=templates)
    temperature = temperature_of(call_index, source, recipe.generate.temperature or range_of(recipe.task))
    schema = schema_of(form_of(recipe.task, asked.strategy)) if asked.is_structured else None
    most, top_p = source.max_tokens or recipe.generate.max_tokens, source.top_p
    settings = (repr(temperature), repr(top_p), most, asked.strategy)
    words = [word for turn in asked.prompt for word in (turn.role, turn.text)]
    key = digest(source.name, model.model_id, *settings, *words, call_index)
    request = Request(key, call_index, model.model_id, asked.prompt, temperature, most, top_p, schema)
    cost = FREE if source.is_local else worst(request, source.prices)
    return Call(source, model, asked.strategy, seed, request, asked.prompt_hash, asked.persona, asked.kept, cost)


def _continued(recipe: Recipe, seed: Sample) -> _Asked:
    text = seed.turns[0].text
    is_text = recipe.task == "text"
    turn = Turn(role="document", text=opening(text)) if is_text else Turn(role="user", text=text)
    return _Asked("answer", (turn,), digest("prompt", recipe.task, "answer", OPENING_WORDS))


def _asked(call_index: int, recipe: Recipe, source: Source, seed: Sample, *, pool: int, templates: Templates) -> _Asked:
    strategy = strategy_of(call_index, pool, recipe.generate.strategies)
    values = attributes(recipe.generate.personas)
    persona = persona_of(call_index, values)
    kept, is_structured = content_of(seed), _is_structured(source) and bool(form_of(recipe.task, strategy))
    words = len(seed.turns[-1].text.split())
    prompt = templates.fill(strategy, parts_of(seed, kept, strategy), persona, words, structured=is_structured)
    told = ",".join(f"{name}={value}" for name, value in persona.items())
    space = [word for name, some in values.items() for word in (name, *some)]
    prompt_hash = digest(templates.hash(strategy), str(is_structured), *space)
    return _Asked(strategy, prompt, prompt_hash, told or None, kept, is_structured)


def _is_structured(source: Source) -> bool:
    """Tell whether answers are held to a schema: vendors do that, but not every server that speaks as they do."""
    return source.base_url is None if source.structured is None else source.structured


@lru_cache(maxsize=64)
def _order(key: str, pool: int, block: int) -> list[int]:
    first = block * _BLOCK
    return permuted(key, pool, first, min(_BLOCK, pool - first))
