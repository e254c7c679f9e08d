"""How often somebody may try to come in: each failure beyond a few makes the next try wait twice as long."""

from collections.abc import Sequence

HOUR_MS = 3_600_000  # failures are remembered so long
FREE_OF_A_NAME = 5
FREE_OF_AN_ADDRESS = 20  # many people may share one
_FIRST_MS = 1_000
_LONGEST_MS = 300_000


def wait(failures: Sequence[int], free: int, now: int) -> int:
    """Return the milliseconds until the next try, given the times of earlier failures in UTC milliseconds.

    >>> [wait([0] * count, 5, 0) for count in (4, 5, 6, 7, 99)]
    [0, 1000, 2000, 4000, 300000]
    """
    recent = [at for at in failures if at > now - HOUR_MS]
    beyond = len(recent) - free
    if beyond < 0:
        return 0
    pause = min(_LONGEST_MS, _FIRST_MS << min(beyond, 16))
    return max(0, max(recent) + pause - now)
