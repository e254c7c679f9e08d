"""What is reached, for the page: shares of human and synthetic text side by side, and what synthetic text misses."""

from collections.abc import Sequence

from services.report.figures import number, percent
from services.report.markup import Node, node
from services.report.strata import Missed, Reach, Stratum
from services.report.tables import table

_TEXT = 400
_STRATA = 12


def reached(reach: Reach) -> list[Node]:
    """Return the parts of the section."""
    values = reach.values
    empty = round((1 - values["hit"]) * reach.cells)
    chance = number(round((1 - values["expected_hit"]) * reach.cells, 1))
    tail, expected = percent(values["tail_share"]), percent(values["expected_tail_share"])
    summary = (
        f"Of the latest {reach.documents:,} accepted synthetic texts, {tail} lie in the rarest regions of human text, "
        f"where {expected} of human text lies. {empty} of {reach.cells} regions have no synthetic text; {chance} would "
        "be empty by chance."
    )
    return [
        node("p", summary),
        node("h3", "Strata, the rarest first"),
        _strata(reach.strata),
        node("h3", "Regions of human text that synthetic text misses"),
        _missed(reach.missed),
    ]


def _strata(strata: Sequence[Stratum]) -> Node:
    widest = max(max(each.human, each.synthetic) for each in strata)
    rows = [
        (
            each.name + (" (rare)" if each.rare else ""),
            _bar(each.human, widest, "human"),
            _bar(each.synthetic, widest, "synthetic"),
            f"{each.synthetic / each.human:.2f}" if each.human else "only synthetic",
        )
        for each in strata
    ]
    columns = ("stratum", "share of human text", "share of accepted synthetic text", "synthetic / human")
    shown, rest = table(columns, rows[:_STRATA]), rows[_STRATA:]
    more = node("details", node("summary", f"{len(rest)} more strata"), table(columns, rest)) if rest else None
    return node("div", shown, more)


def _bar(share: float, widest: float, look: str) -> Node:
    width = f"width: {100 * share / widest:.1f}%"
    bar = node("span", node("span", class_=f"bar {look}", style=width), class_="track", aria_hidden="true")
    return node("span", bar, node("span", percent(share), class_="share"), class_="barred")


def _missed(cells: Sequence[Missed]) -> Node:
    if not cells:
        return node("p", "None: every region has at least half of the synthetic texts to be expected.")
    rows = [
        (
            percent(cell.share) + (" (rare)" if cell.rare else ""),
            number(round(cell.expected, 1)),
            f"{cell.found:,}",
            node("blockquote", _short(cell.example)),
        )
        for cell in cells
    ]
    return table(
        ("share of human text", "texts to be expected", "texts found", "a human text in the middle of it"), rows
    )


def _short(text: str) -> str:
    joined = " ".join(text.split())
    return joined if len(joined) <= _TEXT else f"{joined[: _TEXT - 1]}…"
