"""Line charts as inline SVG: bands, lines, alarms and marks, named at the line's end, with a tooltip for each point.

Colours are classes of the page's style, so that one chart suits light and dark.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, NamedTuple

from services.report.figures import number
from services.report.markup import Node, node
from services.report.scale import Scale, apart, spanned, thinned, ticks

_TOP, _BOTTOM, _LEFT = 18, 40, 54
_LETTER = 6.6  # width of a letter at 12 px
_LABEL_GAP = 14
_TICK_WIDTH, _TICK_HEIGHT = 70, 34


class Point(NamedTuple):
    """A value with its tooltip and the band from low to high in which it is expected; `alarm` if it raised one."""

    x: float
    y: float
    told: str = ""
    low: float | None = None
    high: float | None = None
    alarm: bool = False

    @property
    def kept(self) -> bool:
        """Whether it is to be seen however many points there are."""
        return self.alarm


class Line(NamedTuple):
    """Points that belong together; `look` is a class of the style."""

    label: str
    look: str
    points: Sequence[Point]
    stepped: bool = False


class Mark(NamedTuple):
    """A moment: a line from top to bottom, with a label at its top."""

    x: float
    kind: Literal["alarm", "decision"]
    label: str
    told: str


class Axis(NamedTuple):
    """What an axis shows, how a value is told on it, and which values are round."""

    title: str
    told: Callable[[float], str] = number
    ticks: Callable[[float, float, int], list[float]] = ticks
    zero: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """All of a chart but its size; without points there is nothing to draw."""

    title: str
    description: str
    lines: Sequence[Line]
    across: Axis
    up: Axis
    marks: Sequence[Mark] = ()


class _Place(NamedTuple):
    """Where a chart's values lie."""

    x: Scale
    y: Scale

    def at(self, point: Point) -> str:
        return f"{self.x(point.x):.1f},{self.y(point.y):.1f}"


def draw(chart: Chart, width: int, height: int, most: int) -> Node:
    """Return the chart as an SVG of that size, each line of at most so many points."""
    lines = [line._replace(points=thinned(line.points, most)) for line in chart.lines if line.points]
    right = 14 + max((len(line.label) for line in lines), default=0) * _LETTER
    values = [point for line in lines for point in line.points]
    up = [y for point in values for y in (point.y, point.low, point.high) if y is not None]
    across = spanned([*(point.x for point in values), *(mark.x for mark in chart.marks)], zero=chart.across.zero)
    place = _Place(
        Scale(*across, _LEFT, width - right),
        Scale(*spanned(up, zero=chart.up.zero), height - _BOTTOM, _TOP),
    )
    return node(
        "svg",
        node("title", chart.title),
        node("desc", chart.description),
        _axes(chart, place),
        node("g", [_band(line, place) for line in lines], class_="bands"),
        [_mark(mark, place) for mark in chart.marks],
        [_line(line, place) for line in lines],
        [_dots(line, place) for line in lines],
        _labels(lines, place),
        view_box=f"0 0 {width} {height}",
        role="img",
        class_="chart",
    )


def _axes(chart: Chart, place: _Place) -> Node:
    left, right, bottom, top = place.x.start, place.x.end, place.y.start, place.y.end
    made = node("g", class_="axes")
    for value in chart.up.ticks(place.y.low, place.y.high, max(2, int((bottom - top) / _TICK_HEIGHT))):
        y = f"{place.y(value):.1f}"
        made.append(node("line", x1=left, x2=f"{right:.1f}", y1=y, y2=y))
        made.append(node("text", chart.up.told(value), x=left - 6, y=y, dy="0.35em", text_anchor="end"))
    for value in chart.across.ticks(place.x.low, place.x.high, max(2, int((right - left) / _TICK_WIDTH))):
        x = f"{place.x(value):.1f}"
        made.append(node("line", x1=x, x2=x, y1=bottom, y2=bottom + 4))
        made.append(node("text", chart.across.told(value), x=x, y=bottom + 16, text_anchor="middle"))
    middle = f"{(left + right) / 2:.1f}"
    made.append(node("text", chart.across.title, x=middle, y=bottom + 33, text_anchor="middle", class_="title"))
    made.append(node("text", chart.up.title, x=2, y=10, class_="title"))
    return made


def _band(line: Line, place: _Place) -> Node | None:
    """Return the area in which a line is expected; under a stepped line, which is a limit, all is allowed."""
    if line.stepped:
        bottom = f"{place.y.start:.1f}"
        ends = f"{place.x(line.points[-1].x):.1f},{bottom} {place.x(line.points[0].x):.1f},{bottom}"
        return node("polygon", points=f"{' '.join(_corners(line, place))} {ends}", class_="allowed")
    known = [(point.x, point.low, point.high) for point in line.points if point.low is not None]
    if len(known) < 2:  # noqa: PLR2004 - an area has two ends
        return None
    upper = [f"{place.x(x):.1f},{place.y(high):.1f}" for x, _, high in known if high is not None]
    lower = [f"{place.x(x):.1f},{place.y(low):.1f}" for x, low, _ in reversed(known) if low is not None]
    return node("polygon", points=" ".join([*upper, *lower]))


def _line(line: Line, place: _Place) -> Node:
    points = " ".join(_corners(line, place))
    return node("polyline", node("title", line.label), points=points, class_=f"line {line.look}")


def _corners(line: Line, place: _Place) -> list[str]:
    places = [place.at(point) for point in line.points]
    if not line.stepped:
        return places
    turns = [f"{place.x(after.x):.1f},{place.y(before.y):.1f}" for before, after in pairwise(line.points)]
    return [each for pair in zip(places, [*turns, places[-1]], strict=True) for each in pair]


def _dots(line: Line, place: _Place) -> Node:
    """Return a point for each tooltip: seen only where it is an alarm or stands alone."""
    made = node("g", class_=f"dots {line.look}")
    for point in line.points:
        x, y = place.x(point.x), place.y(point.y)
        told = node("title", point.told)
        if point.alarm:
            corners = f"M{x:.1f} {y - 7:.1f}l7 7l-7 7l-7-7z"
            made.append(node("path", told, d=corners, class_="alarm"))
        else:
            alone = "alone" if len(line.points) == 1 else None
            made.append(node("circle", told, cx=f"{x:.1f}", cy=f"{y:.1f}", r=4, class_=alone))
    return made


def _mark(mark: Mark, place: _Place) -> Node:
    x, right = place.x(mark.x), place.x.end
    anchor = "end" if x + len(mark.label) * _LETTER > right else "start"
    return node(
        "g",
        node("title", mark.told),
        node("line", x1=f"{x:.1f}", x2=f"{x:.1f}", y1=place.y.end, y2=place.y.start),
        node("text", mark.label, x=f"{x + (-4 if anchor == 'end' else 4):.1f}", y=place.y.end + 9, text_anchor=anchor),
        class_=f"mark {mark.kind}",
    )


def _labels(lines: Sequence[Line], place: _Place) -> Node:
    named = [line for line in lines if line.label]
    ends = [place.y(line.points[-1].y) for line in named]
    heights = apart(ends, _LABEL_GAP, place.y.end + 6, place.y.start)
    made = node("g", class_="labels")
    for line, y in zip(named, heights, strict=True):
        x = f"{place.x.end + 6:.1f}"
        made.append(node("text", line.label, x=x, y=f"{y:.1f}", dy="0.35em", class_=line.look))
    return made
