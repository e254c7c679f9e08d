"""The plan: call i of it is the same call in every slot and after every restart, as long as nothing changed.

A call that draws a seed again leaves the seed that the plan has for it to the next pass.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from services.models.provider import Model, Request
from services.recipe import Recipe, Source
from streams.permutation import permuted
from streams.samples import Strategy, Turn, digest

_GOLDEN = 0.6180339887498949
_TEMPERATURES = 5
_OPENING_WORDS = 8
_BLOCK = 1_024


class Seed(NamedTuple):
    """The human sample that a call starts from."""

    sample_id: str
    domain: str | None
    text: str


class Call(NamedTuple):
    """Everything that one call is."""

    source: Source
    model: Model
    strategy: Strategy
    seed: Seed
    request: Request
    prompt_hash: str


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
    """Return the source's own temperature, or one of five even steps of the recipe's range."""
    if source.temperature is not None:
        return source.temperature
    low, high = spread
    step = int(digest("temperature", call_index), 16) % _TEMPERATURES
    return round(low + (high - low) * step / (_TEMPERATURES - 1), 6)


def prompt_of(task: str, text: str) -> tuple[Turn, ...]:
    """Return the prompt: a seed's opening words, to be continued, for a text; else the seed's first turn."""
    if task == "text":
        return (Turn(role="document", text=" ".join(text.split(maxsplit=_OPENING_WORDS)[:_OPENING_WORDS])),)
    return (Turn(role="user", text=text),)


def plan(call_index: int, recipe: Recipe, source: Source, model: Model, seed: Seed) -> Call:
    """Return call `call_index` of the plan."""
    strategy: Strategy = "answer"
    temperature = temperature_of(call_index, source, recipe.generate.temperature)
    prompt = prompt_of(recipe.task, seed.text)
    most = source.max_tokens or recipe.generate.max_tokens
    settings = (repr(temperature), repr(source.top_p), most, strategy)
    key = digest(source.name, model.model_id, *settings, *(p for t in prompt for p in (t.role, t.text)), call_index)
    request = Request(key, call_index, model.model_id, prompt, temperature, most, source.top_p)
    return Call(source, model, strategy, seed, request, digest("prompt", recipe.task, strategy, _OPENING_WORDS))


@lru_cache(maxsize=64)
def _order(key: str, pool: int, block: int) -> list[int]:
    first = block * _BLOCK
    return permuted(key, pool, first, min(_BLOCK, pool - first))
