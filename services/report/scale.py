"""Scales of charts: from values to places, round ticks for numbers and times, and lines with fewer points."""

from collections.abc import Sequence
from datetime import UTC, datetime
from math import ceil, floor, log10
from typing import NamedTuple, Protocol, TypeVar

_STEPS = (1, 2, 5, 10)
_SECOND, _MINUTE, _HOUR, _DAY = 1_000, 60_000, 3_600_000, 86_400_000
_TIMES = (
    *(n * _SECOND for n in (1, 2, 5, 10, 15, 30)),
    *(n * _MINUTE for n in (1, 2, 5, 10, 15, 30)),
    *(n * _HOUR for n in (1, 2, 3, 6, 12)),
    *(n * _DAY for n in (1, 2, 7, 14, 28, 91, 182, 365, 730, 1825)),
)


class Scale(NamedTuple):
    """From `low`..`high` to the places `start`..`end`."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Return the place of a value."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)


class Placed(Protocol):
    """What has its place in a chart; a point that is kept stays when a line is thinned."""

    @property
    def y(self) -> float: ...  # noqa: D102 - the value
    @property
    def kept(self) -> bool: ...  # noqa: D102 - see above


P = TypeVar("P", bound=Placed)


def spanned(values: Sequence[float], *, zero: bool) -> tuple[float, float]:
    """Return a range that holds all values, with a little room unless it begins at zero; never empty."""
    low, high = (min(0.0, *values), max(values)) if zero else (min(values), max(values))
    room = 0.06 * (high - low) or abs(high) / 10 or 1.0
    return (low if zero else low - room), high + room


def ticks(low: float, high: float, most: int) -> list[float]:
    """Return round numbers between low and high, at most so many."""
    rough = (high - low) / most
    power = 10.0 ** floor(log10(rough))
    step = next(power * each for each in _STEPS if power * each >= rough * (1 - 1e-9))
    return [round(n * step, 12) for n in range(ceil(low / step - 1e-9), floor(high / step + 1e-9) + 1)]


def time_ticks(low: float, high: float, most: int) -> list[float]:
    """Return round times (UTC milliseconds) between low and high, at most so many."""
    rough = (high - low) / most
    step = next((each for each in _TIMES if each >= rough), _TIMES[-1] * ceil(rough / _TIMES[-1]))
    return [float(n * step) for n in range(ceil(low / step), floor(high / step) + 1)]


def clock(low: float, high: float) -> str:
    """Return the format of times on an axis from low to high."""
    if high - low < 10 * _MINUTE:
        return "%H:%M:%S"
    return "%H:%M" if high - low < _DAY else "%d %b" if high - low > 4 * _DAY else "%d %b %H:%M"


def clocked(milliseconds: float, form: str) -> str:
    """Return UTC milliseconds in a format."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime(form)


def thinned(points: Sequence[P], most: int) -> list[P]:
    """Return at most so many points, and those to be kept: of each stretch the least and the greatest, and the ends."""
    if len(points) <= most:
        return list(points)
    stretches = max(1, (most - 2) // 2)
    chosen = {0, len(points) - 1, *(at for at, point in enumerate(points) if point.kept)}
    for number in range(stretches):
        stretch = range(number * len(points) // stretches, (number + 1) * len(points) // stretches)
        chosen |= {min(stretch, key=lambda at: points[at].y), max(stretch, key=lambda at: points[at].y)}
    return [points[at] for at in sorted(chosen)]


def apart(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Return places near the wanted ones, at least a gap apart and between low and high as far as there is room."""
    order = sorted(range(len(wanted)), key=lambda at: wanted[at])
    places = [0.0] * len(wanted)
    last = low - gap
    for at in order:
        last = places[at] = max(wanted[at], last + gap)
    ceiling = high
    for at in reversed(order):
        places[at] = min(places[at], ceiling)
        ceiling = places[at] - gap
    return places
