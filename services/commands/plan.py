"""plan: how many calls, tokens, dollars and hours a recipe will take, before anything is asked."""

from pathlib import Path
from typing import Annotated, Any

import typer

from services.commands.output import JsonOption, note, print_json, say, table
from services.ingest.inputs import find
from services.preview.forecast import Forecast, Span, forecast, sampled
from services.preview.judged import judged
from services.preview.models import connected
from services.preview.order import seedless, wanted
from services.preview.pool import MOST, seeds
from services.preview.trial import calls
from services.recipe import Recipe
from services.supervise import session


def plan(
    path: Annotated[Path, typer.Argument(metavar="RECIPE", help="The recipe's YAML file.")],
    seconds: Annotated[float, typer.Option(min=0.01, help="Seconds that a call of a paid model takes.")] = 5.0,
    json: JsonOption = False,
) -> None:
    """Show how many calls, tokens, dollars and hours a recipe will take.

    From if every candidate is accepted to if the candidate cap is reached. Nothing is asked and no topic touched.
    """
    chosen = session.choose(None, path)
    recipe = chosen.recipe
    note(f"Reading {recipe.seeds.path}")
    pool = seeds(recipe, find(recipe))
    target = wanted(recipe, pool)
    made = list(calls(recipe, pool, connected(recipe, chosen.settings.key), sampled(target)))
    sources, judges = forecast(recipe, target, made, seconds), judged(recipe, target, made, seconds)
    found = [*sources, *judges]
    if json:
        print_json([_plain(each) for each in found])
        return
    table("", ["source", "calls", "tokens", "dollars", "hours"], [_row(each) for each in found])
    for stratum, missing in seedless(recipe, pool).items():
        first = f"the first {MOST:,} seeds" if len(pool) == MOST else "the seeds"
        say(f"None of {first} is of {stratum}, so {missing:,} samples can't be made")
    say(_told(recipe, target, sources, judges))


def _row(each: Forecast) -> tuple[object, ...]:
    dollars = "unknown" if each.dollars is None else _span(each.dollars, ",.2f")
    hours = "-" if each.hours is None else _span(each.hours, ",.2f")
    return each.source, _span(each.calls, ",.0f"), _span(each.tokens, ",.0f"), dollars, hours


def _span(span: Span, form: str) -> str:
    least, most = (format(value, form) for value in span)
    return least if least == most else f"{least} to {most}"


def _told(recipe: Recipe, target: int, sources: list[Forecast], judges: list[Forecast]) -> str:
    generate, made, read = recipe.generate, _sum(sources), _sum(judges)
    of_sources, of_judges = generate.budget.dollars, recipe.verify.budget.dollars
    told = f"{target:,} accepted samples of {target * generate.over_generate:,.0f} candidates at most"
    if made is None or read is None:
        return f"{told}; what it costs is unknown: name the `price` of each {'source' if made is None else 'judge'}"
    told += f" will cost ${_span(Span(made.least + read.least, made.most + read.most), ',.2f')}"
    if of_sources is not None and of_sources < made.most:
        end = "may end it" if of_sources >= made.least else "ends it"
        told += f"; the budget of ${of_sources:,.2f} {end} before the target"
    if of_judges is not None and of_judges < read.most:
        end = "may be" if of_judges >= read.least else "is"
        told += f"; that of judges, ${of_judges:,.2f}, {end} spent before, and people decide about the rest"
    return told


def _sum(found: list[Forecast]) -> Span | None:
    known = [each.dollars for each in found if each.dollars is not None]
    if len(known) < len(found):
        return None
    return Span(sum(each.least for each in known), sum(each.most for each in known))


def _plain(each: Forecast) -> dict[str, Any]:
    spans = {"calls": each.calls, "tokens": each.tokens, "dollars": each.dollars, "hours": each.hours}
    return {"source": each.source} | {key: span and span._asdict() for key, span in spans.items()}
