"""How many calls one step makes: as many local ones as take about a second, as many others as may be in flight."""

from collections.abc import Iterable, Iterator

from services.generate.plan import Call

FIRST_SIZE = 8
LARGEST_SIZE = 500


def next_size(size: int, seconds: float) -> int:
    """Return the number of local calls that would have taken a second; it changes by a factor of two at most."""
    factor = min(2.0, max(0.5, 1.0 / max(seconds, 1e-9)))
    return max(1, min(LARGEST_SIZE, int(size * factor)))


def wave(calls: Iterable[tuple[Call, bool]], size: int, concurrency: int) -> Iterator[Call]:
    """Yield calls in order until the next local one, or the next other one, would be too many; True marks local."""
    left = {True: size, False: concurrency}
    for call, inline in calls:
        if left[inline] == 0:
            return
        left[inline] -= 1
        yield call
