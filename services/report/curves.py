"""From measures to lines: one line a group, its windows in order, its null as a band."""

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from math import isfinite

import numpy as np

from services.groups import Name, parsed
from services.report import figures
from services.report.chart import Axis, Chart, Line, Point
from services.report.figures import number
from services.report.statistics import About
from streams.events import CollapseMeasured
from streams.parts import Statistic

SOURCES = 6  # lines of more can't be told apart
_WORDS = {"generate": "(generated)", "verify": "(accepted)"}


Grouped = Mapping[Name, Sequence[CollapseMeasured]]


def grouped(measures: Sequence[CollapseMeasured]) -> Grouped:
    """Return the windows of each group in order; human text first, then the mixture, then sources by name."""
    ordered = sorted(measures, key=lambda each: (_rank(parsed(each.group)), each.window))
    return {group: list(windows) for group, windows in groupby(ordered, key=lambda each: parsed(each.group))}


def looks(groups: Grouped) -> Mapping[tuple[str, str], str]:
    """Return the look of each (task, source) that is drawn: the ones that raised alarms go first where many are."""
    alarms = {group: sum(window.alarm is not None for window in windows) for group, windows in groups.items()}
    sources = sorted(
        {(group.task, group.source) for group in groups if group.word in ("generate", "verify", "")},
        key=lambda each: (-sum(number for group, number in alarms.items() if group[1:] == each), each),
    )
    return {each: f"s{at}" for at, each in enumerate(sorted(sources[:SOURCES]))}


def statistic(groups: Grouped, name: str, about: About) -> Chart:
    """Return the chart of one statistic over windows."""
    return Chart(
        title=about.title,
        description=f"{about.reading} One line for each group of text, window by window.",
        lines=_lines(groups, lambda window: _point(window, name, about)),
        across=Axis("window", _whole),
        up=Axis(about.unit, about.told),
    )


def vocabulary(groups: Grouped) -> Chart:
    """Return how the vocabulary of each group grows with its words."""
    return Chart(
        title="Vocabulary growth",
        description="Different words against words read so far; a line that bends below human text loses rare words.",
        lines=_lines(groups, _growth),
        across=Axis("words read so far", zero=True),
        up=Axis("different words", zero=True),
    )


def compared(groups: Grouped) -> list[str]:
    """Return for each source how its vocabulary stands to that of human text after the same number of words."""
    told = []
    for group in groups:
        human = _grown(groups, Name("seed", group.task, "human"))
        made = _grown(groups, group)
        if group.word != "generate" or not human or not made:
            continue
        words = min(human[-1].x, made[-1].x)
        of_human, of_made = _types_at(human, words), _types_at(made, words)
        less = f"{abs(1 - of_made / of_human):.0%} {'fewer' if of_made < of_human else 'more'}"
        told.append(
            f"After {number(words)} words, {group.source} has used {number(of_made)} different ones and human text "
            f"{number(of_human)}: {less}."
        )
    return told


def is_there(groups: Grouped, name: str) -> bool:
    """Tell whether any window has the statistic."""
    return any(_value(window, name) for windows in groups.values() for window in windows)


def _lines(groups: Grouped, point: Callable[[CollapseMeasured], Point | None]) -> list[Line]:
    drawn, tasks = looks(groups), {group.task for group in groups}
    lines = []
    for group, windows in groups.items():
        look = {"seed": "human", "mix": "mix"}.get(group.word) or drawn.get((group.task, group.source))
        points = [found for window in windows if (found := point(window)) is not None]
        if look is None or not points:
            continue
        doubled = group.word == "verify" and group._replace(word="generate") in groups
        label = "" if doubled else called(group, tasks=len(tasks) > 1, word=False)
        lines.append(Line(label, f"{look} {group.word}", points))
    return lines


def called(group: Name, *, tasks: bool, word: bool) -> str:
    """Return what a reader calls a group."""
    name = {"seed": "human", "mix": "mixture"}.get(group.word, group.source)
    parts = [name, f"({group.task})" if tasks and group.task else "", _WORDS.get(group.word, "") if word else ""]
    return " ".join(part for part in parts if part)


def _point(window: CollapseMeasured, name: str, about: About) -> Point | None:
    found = _value(window, name)
    if found is None:
        return None
    told = f"{_named(window)}, window {window.window}: {about.told(found.value)}"
    low = high = None
    if found.null_median is not None and found.null_halfwidth is not None:
        low, high = found.null_median - found.null_halfwidth, found.null_median + found.null_halfwidth
        told += f", expected {about.told(low)} to {about.told(high)}"
    raised = window.alarm == name
    told += f" ({window.documents:,} documents, {figures.time(window.occurred_at)})"
    return Point(window.window, found.value, f"ALARM: {told}" if raised else told, low, high, raised)


def _growth(window: CollapseMeasured) -> Point | None:
    words, types = _value(window, "heaps_words"), _value(window, "heaps_types")
    if words is None or types is None:
        return None
    told = f"{_named(window)}: {number(types.value)} different words in {number(words.value)}"
    return Point(words.value, types.value, told)


def _grown(groups: Grouped, group: Name) -> list[Point]:
    return [found for window in groups.get(group, ()) if (found := _growth(window)) is not None]


def _types_at(points: Sequence[Point], words: float) -> float:
    return float(np.interp(words, [point.x for point in points], [point.y for point in points]))


def _named(window: CollapseMeasured) -> str:
    return called(parsed(window.group), tasks=False, word=True)


def _value(window: CollapseMeasured, name: str) -> Statistic | None:
    return next((each for each in window.statistics if each.name == name and isfinite(each.value)), None)


def _whole(value: float) -> str:
    return f"{value:,.0f}" if value == round(value) else ""


def _rank(group: Name) -> tuple[int, Name]:
    return ({"seed": 0, "mix": 1}.get(group.word, 2), group)
