"""How many calls a source may have in flight: as many as its vendor bears, which only its answers tell.

Slow start, then multiplicative cuts and growth that is fast far below the last limit that was too much and slow near
it, as TCP does (Jacobson 1988; BIC: Xu, Harfoush and Rhee 2004).
"""

_FIRST = 8
_KEPT = 0.85  # of the limit at a cut: a spike is over in a few
_REGAINED = 0.25  # of what was cut, in a round trip: a vendor's limit is used to 95 % on average
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 60.0


class Throttle:
    """The limit of one source, from 1 to `most`; times are seconds of one monotonic clock."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._limit = float(min(_FIRST, most))
        self._is_slow_start = True
        self._known = self._limit  # what was too much at the last cut
        self._is_fruitless = False  # no answer since the last cut
        self._cut_at = self._resumes = float("-inf")
        self._pause = 0.0

    @property
    def limit(self) -> int:
        """Calls in flight at most."""
        return int(self._limit)

    def room(self, in_flight: int, now: float) -> int:
        """Return how many calls may be begun now."""
        return max(0, self.limit - in_flight) if now >= self._resumes else 0

    def answered(self, in_flight: int) -> None:
        """Take in that a call was answered while so many were in flight: a limit of which half was used grows.

        By a call each answer, so that it doubles in a round trip. After the first cut a round trip regains a quarter of
        what the last one took, and at least a call.
        """
        self._pause, self._is_fruitless = 0.0, False
        if 2 * in_flight >= self.limit:
            regained = max(1.0, _REGAINED * (self._known - self._limit))
            self._limit = min(self._most, self._limit + (1 if self._is_slow_start else regained / self._limit))

    def limited(self, began: float, now: float, asked: float | None) -> None:
        """Take in that the vendor said no to a call begun at `began`, and maybe how many seconds to wait.

        Calls that were begun before the last cut tell nothing new: a round trip has one cut. After a cut that helped
        nothing there is a pause.
        """
        if asked is not None:
            self._resumes = max(self._resumes, now + asked)
        if began < self._cut_at:
            return
        if self._is_fruitless:
            self._pause = min(_LONGEST_PAUSE, max(_FIRST_PAUSE, 2 * self._pause))
            self._resumes = max(self._resumes, now + self._pause)
        self._known, self._limit = self._limit, max(1.0, self._limit * _KEPT)
        self._is_slow_start, self._is_fruitless = False, True
        self._cut_at = now
