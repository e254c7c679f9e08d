"""What the judges of a recipe will take before it is run: each candidate stands for itself by the seed of its call."""

from collections.abc import Sequence
from statistics import fmean

from services.generate.plan import Call
from services.models.cost import Cost, price, worst
from services.preview.forecast import CHARACTERS, Forecast, Span
from services.recipe import Judge, Recipe
from services.verify.judge_calls import Wanted
from services.verify.panel import eligible
from streams.samples import Sample

_ANSWER = 120  # tokens of scores and a sentence


def judged(recipe: Recipe, wanted: int, calls: Sequence[Call], seconds: float) -> list[Forecast]:
    """Return what each judge will take for so many accepted samples if its calls take so many seconds.

    Least is if what is judged is accepted, most if every candidate comes to the judges.
    """
    found = []
    for judge in recipe.verify.judges:
        shares = [_share(recipe, judge, call) for call in calls]
        if any(shares):
            least = wanted * fmean(shares)
            count = Span(least, least * recipe.generate.over_generate)
            found.append(_of(recipe, judge, [call.seed for call in calls], count, seconds))
    return found


def _share(recipe: Recipe, judge: Judge, call: Call) -> float:
    """Return how likely a judge is among those that a call's candidate is shown to."""
    others = eligible(call.source.family, recipe.verify.judges)
    return min(recipe.verify.votes, len(others)) / len(others) if judge in others else 0.0


def _of(recipe: Recipe, judge: Judge, candidates: Sequence[Sample], count: Span, seconds: float) -> Forecast:
    requests = [Wanted(candidate, judge).request for candidate in candidates]
    given = fmean(sum(len(turn.text) for turn in each.prompt) / CHARACTERS for each in requests)
    expected = Cost(round(given) + _ANSWER, price(round(given), _ANSWER, judge.prices))
    most = [worst(each, judge.prices) for each in requests]
    dollars = None
    if expected.dollars is not None:
        dollars = Span(count.least * expected.dollars, count.most * fmean(each.dollars or 0.0 for each in most))
    each = seconds / recipe.verify.concurrency / recipe.verify.slots
    return Forecast(
        f"judge {judge.name}",
        count,
        Span(count.least * expected.tokens, count.most * fmean(each.tokens for each in most)),
        dollars,
        Span(*(number * each / 3_600 for number in count)),
    )
