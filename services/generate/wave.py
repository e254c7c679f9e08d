"""How many local calls one step makes: as many as take about as long as they should."""

FIRST_SIZE = 8
LARGEST_SIZE = 500


def next_size(size: int, taken: float) -> int:
    """Return the number of calls for next time; `taken` is the time of these as a share of what is aimed at.

    It changes by a factor of two at most.
    """
    factor = min(2.0, max(0.5, 1.0 / max(taken, 1e-9)))
    return max(1, min(LARGEST_SIZE, int(size * factor)))
