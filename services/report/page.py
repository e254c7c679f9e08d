"""The page: headline, curves, strata, alarms and decisions in the order in which a reader asks."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from services.books.strata import Stratum
from services.policy import decisions
from services.report import curves, figures, share, state, tables
from services.report.chart import Chart, draw
from services.report.figures import percent, ratio
from services.report.log import Log
from services.report.markup import Content, Node, document, node
from services.report.reach import reached
from services.report.statistics import MAIN, MORE
from services.report.strata import Reach

_STYLE = Path(__file__).with_name("style.css")
_WIDE, _NARROW, _SMALL = (1180, 300), (560, 280), (370, 230)
_POINTS, _FEW = 240, 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that a report says; `reach` may be a sentence on what is missing, `now` is UTC milliseconds.

    `wanted` are the strata of the recipe's quotas.
    """

    pipeline: str
    log: Log
    reach: Reach | str
    recipe_cap: float
    floor: float
    now: int
    wanted: Sequence[Stratum] = ()


def page(facts: Facts) -> str:
    """Return the whole file: it needs nothing from anywhere else."""
    title = f"Ballast report: {facts.pipeline}"
    head = node(
        "head",
        node("meta", charset="utf-8"),
        node("meta", name="viewport", content="width=device-width, initial-scale=1"),
        node("meta", name="color-scheme", content="light dark"),
        node("title", title),
        node("style", _STYLE.read_text(encoding="utf-8")),
    )
    main = node(
        "main", _headline(facts), _share(facts), _measured(facts), _reach(facts), _wanted(facts), _tables(facts)
    )
    made = f"Made {figures.time(facts.now)} from the log of pipeline {facts.pipeline}."
    body = node("body", node("header", node("h1", title), node("p", made)), main)
    return document(node("html", head, body, lang="en"))


def _headline(facts: Facts) -> Node:
    log, found = facts.log, state.headline(facts.log, facts.recipe_cap, facts.floor, facts.now)
    cap = state.cap_now(log, facts.recipe_cap, facts.now)
    last = log.batches[-1] if log.batches else None
    total, synthetic = sum(batch.size for batch in log.batches), sum(batch.synthetic for batch in log.batches)
    largest = max((batch.share for batch in log.batches), default=0.0)
    made = f"{total:,} samples, {total - synthetic:,} of them real; largest share {percent(largest)}"
    return node(
        "section",
        node(
            "div",
            node("p", "State", class_="what"),
            node("p", found.state, class_="figure"),
            [node("p", line) for line in found.told],
            class_=f"card state {found.state.replace(' ', '-')}",
        ),
        _card("Synthetic share now", percent(last.share) if last else "none", "of the newest batch", last is not None),
        _card("Its cap now", percent(cap), f"synthetic to real: {ratio(cap)}", True),
        _card("Batches", f"{len(log.batches):,}", made, bool(log.batches)),
        node("div", node("p", "Last decision", class_="what"), node("p", state.decided(log)), class_="card decision"),
        class_="cards",
        aria_label="How it stands",
    )


def _card(what: str, figure: str, told: str, known: bool) -> Node:
    said = told if known else "no batch is made yet"
    return node(
        "div", node("p", what, class_="what"), node("p", figure, class_="figure"), node("p", said), class_="card"
    )


def _share(facts: Facts) -> Node:
    if not facts.log.batches and not facts.log.policies:
        return _section("Synthetic share over time", node("p", "No batch is made and no policy is set yet."))
    note = "Shaded is what was allowed. Full lines are alarms, dotted ones decisions; point at them for the reason."
    return _section("Synthetic share over time", node("p", note), _wide(share.chart(facts.log, facts.recipe_cap)))


def _measured(facts: Facts) -> list[Node]:
    groups = curves.grouped(facts.log.measures)
    if not groups:
        told = "The topic measure is empty: the monitor has not run, so there are no curves and no alarms."
        return [_section("Is the text collapsing?", node("p", told))]
    growth = curves.vocabulary(groups)
    shown = [_panel(curves.statistic(groups, name, about)) for name, about in MAIN.items() if _has(groups, name)]
    more = [_panel(curves.statistic(groups, name, about)) for name, about in MORE.items() if _has(groups, name)]
    note = (
        "Each line is a source, full where it is as generated and dashed where it was accepted by the checks. The "
        "shaded band is where human text lies at the same size. A diamond is an alarm."
    )
    drawn, sources = len(curves.looks(groups)), len({(g.task, g.source) for g in groups if g.word in _MADE})
    left = f" {drawn} of {sources} sources are drawn, those with alarms first." if drawn < sources else ""
    return [
        _section(
            "Vocabulary growth",
            node("p", "Different words against words read: a line that bends away below human text loses rare words."),
            _wide(growth) if any(line.points for line in growth.lines) else node("p", "No window has it yet."),
            node("ul", [node("li", line) for line in curves.compared(groups)]),
        ),
        _section("Is the text collapsing?", node("p", note + left), node("div", shown, class_="panels")),
        *([node("details", node("summary", "More statistics"), node("div", more, class_="panels"))] if more else []),
    ]


_MADE = ("generate", "verify", "")


def _has(groups: curves.Grouped, name: str) -> bool:
    return curves.is_there(groups, name)


def _reach(facts: Facts) -> Node:
    content = [node("p", facts.reach)] if isinstance(facts.reach, str) else reached(facts.reach)
    return _section("Which human text is reached", *content)


def _wanted(facts: Facts) -> Node | None:
    told = "Calls that were made of each stratum, by where they are; what is wanted is accepted samples."
    return _section("Quotas", node("p", told), tables.wanted(facts.wanted)) if facts.wanted else None


def _tables(facts: Facts) -> Sequence[Node]:
    return (
        _section("Alarms", tables.alarms(facts.log.alarms)),
        _section("Decisions", tables.decided(decisions(facts.log.policies))),
    )


def _section(title: str, *content: Content) -> Node:
    return node("section", node("h2", title), *content)


def _panel(chart: Chart) -> Node:
    reading = chart.description.split(" One line for each")[0]
    return node("figure", node("h3", chart.title), node("p", reading), draw(chart, *_SMALL, _FEW))


def _wide(chart: Chart) -> Node:
    """Return the chart in two sizes, of which the style shows one: text keeps its size on a small screen."""
    wide = node("div", draw(chart, *_WIDE, _POINTS), class_="wide")
    return node("figure", wide, node("div", draw(chart, *_NARROW, _POINTS), class_="narrow"))
