"""The least score of a judge that passes, moved by what people decided of the candidates that judges had scored.

A floor is good as far as it flags what people find wrong and lets pass what they find right: J = P(flagged | wrong) -
P(flagged | right) (Youden 1950). It leaves the recipe's only with 30 decisions of each kind, and only where another is
better by more than chance would make it (one-sided, 5 % over the three others). An audited decision counts as many
candidates as it stands for.
"""

import math
from typing import NamedTuple

from streams.events import ReviewSubmitted

FEWEST = 30  # right ones, and wrong ones, before anything is concluded from them
_SCORES = 5
_Z = 2.13  # one-sided 5 % / 3


class Scored(NamedTuple):
    """Decisions of one kind: how many, the sum of their squared weights, and of their weights by least score."""

    decisions: int = 0
    squares: float = 0.0
    weights: tuple[float, ...] = (0.0,) * _SCORES

    def plus(self, lowest: int, weight: float) -> "Scored":
        """Add a decision on a candidate whose least score was 1 to 5."""
        weights = tuple(each + weight * (place == lowest - 1) for place, each in enumerate(self.weights))
        return Scored(self.decisions + 1, self.squares + weight * weight, weights)

    def between(self, low: int, high: int) -> float:
        """Return the share whose least score is from `low` to below `high`."""
        return sum(self.weights[low - 1 : high - 1]) / sum(self.weights)

    def variance(self, share: float) -> float:
        """Return the variance of a share, by Kish's effective number of decisions."""
        return share * (1 - share) * self.squares / sum(self.weights) ** 2


class Floors(NamedTuple):
    """All audited decisions so far on what judges had scored: found right, and rejected or edited."""

    right: Scored = Scored()
    wrong: Scored = Scored()

    def plus(self, event: ReviewSubmitted, weight: float) -> "Floors":
        """Add a decision that stands for `weight` candidates; without a judge's score it says nothing here."""
        if event.judge_lowest is None or not 1 <= event.judge_lowest <= _SCORES:
            return self
        if event.decision == "accept":
            return self._replace(right=self.right.plus(event.judge_lowest, weight))
        return self._replace(wrong=self.wrong.plus(event.judge_lowest, weight))

    def floor(self, given: int) -> int:
        """Return the floor that holds now, 2 to 5; `given` is the recipe's."""
        if min(self.right.decisions, self.wrong.decisions) < FEWEST:
            return given
        others = [floor for floor in range(2, _SCORES + 1) if floor != given and self._gain(given, floor) > 0]
        better = [floor for floor in others if self._gain(given, floor) > _Z * self._error(given, floor)]
        return max(better, key=lambda floor: self._gain(given, floor), default=given)

    def _gain(self, given: int, floor: int) -> float:
        """Return how much larger J is at another floor."""
        low, high = sorted((given, floor))
        gain = self.wrong.between(low, high) - self.right.between(low, high)
        return gain if floor > given else -gain

    def _error(self, given: int, floor: int) -> float:
        low, high = sorted((given, floor))
        return math.sqrt(sum(_of(each, low, high) for each in (self.wrong, self.right)))


def _of(scored: Scored, low: int, high: int) -> float:
    return scored.variance(scored.between(low, high))
