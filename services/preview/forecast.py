"""What a recipe will take before it is run: calls, tokens, money and time of each source, from some calls of its plan.

Least is what it takes if every candidate is accepted, most if the candidate cap is reached. Tokens are estimated: four
characters each, and an answer as long as the seed's own; dollars of the most reckon with the worst case of each call.
"""

from collections.abc import Sequence
from statistics import fmean
from typing import NamedTuple

from services.generate.plan import Call
from services.models.cost import price
from services.recipe import Recipe, Source

SAMPLED = 400  # calls
CHARACTERS = 4.0  # of a token


class Span(NamedTuple):
    """From the least that can be expected to the most."""

    least: float
    most: float


class Forecast(NamedTuple):
    """One source or judge: calls, tokens in and out, dollars and hours; None where price or pace is unknown."""

    source: str
    calls: Span
    tokens: Span
    dollars: Span | None
    hours: Span | None


def sampled(wanted: int) -> list[int]:
    """Return calls spread evenly over those of so many accepted samples, for later calls have other strategies."""
    every = max(1, wanted // SAMPLED)
    return list(range(0, wanted, every))[:SAMPLED]


def forecast(recipe: Recipe, wanted: int, calls: Sequence[Call], seconds: float) -> list[Forecast]:
    """Return what each source will take for so many accepted samples if a call of a paid one takes so many seconds.

    A slot keeps many in flight.
    """
    found = []
    for source in recipe.sources:
        if mine := [call for call in calls if call.source.name == source.name]:
            least = wanted * len(mine) / len(calls)
            found.append(_of(recipe, source, mine, Span(least, least * recipe.generate.over_generate), seconds))
    return found


def _of(recipe: Recipe, source: Source, calls: Sequence[Call], count: Span, seconds: float) -> Forecast:
    given = fmean(sum(len(turn.text) for turn in call.request.prompt) / CHARACTERS for call in calls)
    answered = fmean(min(len(call.seed.turns[-1].text) / CHARACTERS, call.request.max_tokens) for call in calls)
    expected = price(round(given), round(answered), source.prices)
    worst = [call.worst.dollars for call in calls if call.worst.dollars is not None]
    dollars = None
    if source.is_local:
        dollars = Span(0.0, 0.0)
    elif expected is not None:
        dollars = Span(count.least * expected, count.most * fmean(worst))
    each = _seconds(source, seconds)
    return Forecast(
        source.name,
        count,
        Span(count.least * (given + answered), count.most * fmean(_most_tokens(call, given) for call in calls)),
        dollars,
        None if each is None else Span(*(number * each / recipe.generate.slots / 3_600 for number in count)),
    )


def _most_tokens(call: Call, given: float) -> float:
    return call.worst.tokens or given + call.request.max_tokens


def _seconds(source: Source, seconds: float) -> float | None:
    """Return the seconds of one slot that a call takes, for many paid ones are in flight at once."""
    if not source.is_local:
        return seconds / source.concurrency
    return None if source.documents_per_second is None else 1 / source.documents_per_second
