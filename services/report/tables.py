"""Tables of the page: alarms and decisions."""

from collections.abc import Sequence

from services.books.strata import Stratum
from services.policy import Decision
from services.report import figures
from services.report.figures import named, number, percent, ratio, versions
from services.report.markup import Content, Node, node
from streams.events import CollapseMeasured

_MOST = 200
_KINDS = {
    "change": "change: not as at admission",
    "shift": "shift: human text moved too",
    "verification_narrows": "verification narrows: rare text is rejected",
}


def table(columns: Sequence[str], rows: Sequence[Sequence[Content]]) -> Node:
    """Return a table that scrolls by itself where the page is too narrow."""
    head = node("thead", node("tr", [node("th", column, scope="col") for column in columns]))
    body = node("tbody", [node("tr", [node("td", cell) for cell in row]) for row in rows])
    return node("div", node("table", head, body), class_="table", tabindex=0)


def alarms(found: Sequence[CollapseMeasured]) -> Node:
    """Return the alarms, the oldest first."""
    if not found:
        return node("p", "None so far.")
    rows = [
        (
            each.group,
            each.alarm,
            f"{each.window:,}",
            _evidence(each),
            _KINDS.get(each.alarm_kind, each.alarm_kind),
            figures.time(each.occurred_at),
        )
        for each in found[-_MOST:]
    ]
    columns = ("group", "statistic", "window", "evidence (log e-value)", "kind", "time")
    return node("div", _older(len(found)), table(columns, rows))


def decided(found: Sequence[Decision]) -> Node:
    """Return the decisions, the oldest first; versions that only renewed one are one row with it."""
    if not found:
        return node("p", "None so far.")
    rows = [
        (
            versions(each),
            figures.time(each.made.occurred_at),
            f"{percent(each.made.alpha)} ({ratio(each.made.alpha)})",
            named(each.made.weights),
            figures.held(each.made.held),
            each.made.set_by,
            each.made.reason,
            named(each.made.inputs),
        )
        for each in found[-_MOST:]
    ]
    columns = ("version", "time", "share at most (ratio)", "weights", "held back", "by", "reason", "inputs")
    return node("div", _older(len(found)), table(columns, rows))


def wanted(found: Sequence[Stratum]) -> Node:
    """Return where the calls of each stratum are, in the order of flow, beside what is wanted of it."""
    rows = [(each.name, *(f"{count:,}" for count in each.counts), f"{each.target:,}") for each in found]
    return table(("stratum", "asked", "to verify", "in review", "accepted", "lost", "wanted"), rows)


def _evidence(alarm: CollapseMeasured) -> str:
    found = next((each.evidence for each in alarm.statistics if each.name == alarm.alarm), None)
    return "" if found is None else number(found)


def _older(count: int) -> Node | None:
    told = f"The newest {_MOST} of {count:,}; `ballast policy history --json` has every policy."
    return node("p", told) if count > _MOST else None
