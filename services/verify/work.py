"""What checks cost and how much they reject, as measured, and the order that follows from it.

To find what fails at the least cost, checks run by rising cost per rejection (Hellerstein and Stonebraker, 1993).
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from services.verify.check import Check

_MEMORY = 20_000.0  # samples: older ones count for less
_PRIOR = 100.0  # samples, none of them rejected, that a check is thought to have seen before


class Work(NamedTuple):
    """A check's work: seconds, samples judged and samples failed; fractions once older work has faded."""

    seconds: float = 0.0
    judged: float = 0.0
    failed: float = 0.0

    def plus(self, seconds: float, judged: float, failed: float) -> "Work":
        """Add work of the same batch."""
        return Work(self.seconds + seconds, self.judged + judged, self.failed + failed)

    def then(self, later: "Work") -> "Work":
        """Add work of a later batch: what lies 20,000 samples back has faded by a factor of e."""
        faded = max(0.0, 1 - later.judged / _MEMORY)
        return Work(
            faded * self.seconds + later.seconds, faded * self.judged + later.judged, faded * self.failed + later.failed
        )

    @property
    def cost(self) -> float:
        """Seconds per rejection, as if half a sample of a hundred before had been rejected; 0 if nothing is known."""
        if not self.judged:
            return 0.0
        return self.seconds / self.judged / ((self.failed + 0.5) / (self.judged + _PRIOR))


def ordered(checks: Sequence[Check], known: Mapping[str, Work]) -> list[Check]:
    """Return the checks by rising cost per rejection; those of which nothing is known first, as they were given."""
    return sorted(checks, key=lambda check: known.get(check.name, Work()).cost)
