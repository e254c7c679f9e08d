"""cost: what models were paid for, what may still be billed, and what the whole will cost."""

from typing import Any

from services.books.spending import Line, Money, Spending, read
from services.commands.output import JsonOption, PipelineOption, RecipeOption, note, print_json, say, table
from services.supervise import session

_COLUMNS = (
    "source", "for", "asked", "answered", "tokens in", "out", "spent", "at risk", "accepted", "tokens each", "each",
)  # fmt: skip


def cost(name: PipelineOption = None, recipe: RecipeOption = None, json: JsonOption = False) -> None:
    """Show what models cost so far, for each accepted sample, and in the end.

    Where one strategy brings more accepted samples for its money than another, move `generate.strategies`.
    """
    chosen = session.choose(name, recipe)
    with session.opened(chosen, note) as opened:
        note(f"Reading the calls of pipeline {opened.pipeline}")
        found = read(opened.broker, opened.codec, opened.pipeline)
    generate, verify = chosen.recipe.generate, chosen.recipe.verify
    if json:
        print_json(_plain(found, generate.target))
        return
    if not found.lines:
        say("No model was asked yet")
        return
    table("", _COLUMNS, [_row(line) for line in found.lines])
    say(told(found, generate.target, generate.budget.dollars, verify.budget.dollars))


def told(found: Spending, target: int, of_sources: float | None, of_judges: float | None) -> str:
    """Return what it comes to in one sentence, beside the budgets in dollars of sources and of judges."""
    if found.dollars is None:
        return "What was spent in all is unknown: some source or judge has no `price` in the recipe"
    said = f"{_dollars(found.dollars)} spent"
    if of_sources is not None:
        said += f", by sources {_dollars(found.spent_by(judges=False))} of {_dollars(of_sources)}"
    if of_judges is not None:
        said += f", by judges {_dollars(found.spent_by(judges=True))} of {_dollars(of_judges)}"
    if found.at_risk:
        said += f", at most {_dollars(found.at_risk)} more for calls that have no answer"
    if (whole := found.projected(target)) is None:
        return f"{said}; nothing is accepted yet"
    return f"{said}; {found.accepted:,} of {target:,} are accepted, so all will cost some {_dollars(whole)}"


def _row(line: Line) -> tuple[object, ...]:
    counts = (line.attempts, line.answered, line.tokens_in, line.tokens_out)
    money = (_dollars(line.dollars), _dollars(line.at_risk))
    each = ("-", "-") if not line.accepted else (line.tokens_per_accepted, _dollars(line.per_accepted, 5))
    return line.source, line.strategy.replace("_", " "), *counts, *money, line.accepted, *each


def _dollars(money: Money, places: int = 4) -> str:
    return "unknown" if money is None else f"${money:,.{places}f}"


def _plain(found: Spending, target: int) -> dict[str, Any]:
    return {
        "spent_dollars": found.dollars,
        "at_risk_dollars": found.at_risk,
        "accepted": found.accepted,
        "target": target,
        "projected_dollars": found.projected(target),
        "lines": [line._asdict() | {"dollars_per_accepted": line.per_accepted} for line in found.lines],
    }
