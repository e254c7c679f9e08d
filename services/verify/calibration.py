"""What people's decisions say of the checks: how much that is right they keep, and how much that is wrong.

The audit is drawn before the checks over all candidates, so a decision stands for 1 / inclusion probability of them.
With phi = P(keep | right) and psi = P(keep | wrong), training on what is kept helps while the share of wrong
candidates is below p* = 1 / (1 + psi / phi) (Feng et al. 2024, arXiv 2406.07515). Intervals are of 95 %: Clopper and
Pearson's with Kish's effective number of decisions.
"""

from typing import NamedTuple

from scipy.special import betaincinv

from services.verify.floor import Floors
from streams.events import ReviewSubmitted

_LEVEL = 0.05


class Interval(NamedTuple):
    """An estimate and its 95 % interval, 0 to 1."""

    value: float
    low: float
    high: float


class Kept(NamedTuple):
    """Decisions of one kind: how many, the sums of their weights and squared weights, and what of them was kept."""

    decisions: int = 0
    weight: float = 0.0
    squares: float = 0.0
    kept: float = 0.0

    def plus(self, weight: float, *, is_kept: bool) -> "Kept":
        """Add one decision."""
        return Kept(
            self.decisions + 1, self.weight + weight, self.squares + weight * weight, self.kept + weight * is_kept
        )

    def ratio(self, level: float = _LEVEL) -> Interval:
        """Return the share that was kept, with the interval that misses it with probability `level`."""
        if not self.decisions:
            return Interval(0.5, 0.0, 1.0)
        share = min(self.kept / self.weight, 1.0)
        effective = self.weight**2 / self.squares
        hits, misses = share * effective, (1 - share) * effective
        low = float(betaincinv(hits, misses + 1, level / 2)) if hits else 0.0
        high = float(betaincinv(hits + 1, misses, 1 - level / 2)) if misses else 1.0
        return Interval(share, low, high)


class Calibration(NamedTuple):
    """All audited decisions so far: on what a person found right, and on what he rejected or had to edit."""

    right: Kept = Kept()
    wrong: Kept = Kept()
    floors: Floors = Floors()

    def plus(self, event: ReviewSubmitted) -> "Calibration":
        """Add a decision; only those that settle what the audit drew count, and an expiry decides nothing."""
        if (
            not event.settles
            or not event.audited
            or event.inclusion_probability <= 0
            or event.decision not in ("accept", "reject", "edit")
        ):
            return self
        weight, is_kept = 1 / event.inclusion_probability, event.automatic == "pass"
        floors = self.floors.plus(event, weight)
        if event.decision == "accept":
            return self._replace(right=self.right.plus(weight, is_kept=is_kept), floors=floors)
        return self._replace(wrong=self.wrong.plus(weight, is_kept=is_kept), floors=floors)

    @property
    def break_even(self) -> Interval:
        """p*: the share of wrong candidates below which what is kept helps; the interval allows for both ratios."""
        phi, psi = self.right.ratio(_LEVEL / 2), self.wrong.ratio(_LEVEL / 2)
        return Interval(_point(phi.value, psi.value), _point(phi.low, psi.high), _point(phi.high, psi.low))


def _point(phi: float, psi: float) -> float:
    return phi / (phi + psi) if phi + psi else 0.5
