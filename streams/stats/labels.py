"""Whether labels or strata keep their shares: counts over a fixed list of names.

A source that forgets a label may look healthy in every statistic of words.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from streams.stats.statistic import State

_OTHER = "other"


class Labels:
    """Counts of labels against a reference's shares by name; what those leave of 1 is the share of `other`.

    `update` takes the label of each document; one that has no share of its own counts as `other`. Values, NaN where
    nothing was counted: `total_variation` (half the sum of absolute differences of shares, from 0 to 1; Levin & Peres
    2017, Markov Chains and Mixing Times, section 4.1), then `share_<name>` for each name and `share_other`.

    The distance of N documents of the reference's own kind is not 0 but falls with 1 / sqrt(N): compare at equal N.

    >>> labels = Labels({"sum": 0.5, "product": 0.25})
    >>> labels.update(["sum", "sum", "sum", "quotient"])
    >>> dict(labels.get())
    {'total_variation': 0.25, 'share_sum': 0.75, 'share_product': 0.0, 'share_other': 0.25}
    """

    def __init__(self, reference: Mapping[str, float]) -> None:
        named = [name for name in reference if name != _OTHER]
        shares = [reference[name] for name in named]
        self._names = [*named, _OTHER]
        self._shares = np.array([*shares, 1 - sum(shares)])
        if self._shares.min() < -1e-9:  # noqa: PLR2004 - rounding
            raise ValueError(
                f"The shares {dict(reference)} are no shares of one whole; they must be 0 or more, 1 in all"
            )
        self._places = {name: place for place, name in enumerate(named)}
        self.counts: NDArray[np.int64] = np.zeros(len(self._names), np.int64)

    def update(self, batch: Sequence[str]) -> None:
        """Count labels."""
        other = len(self._places)
        places = np.array([self._places.get(label, other) for label in batch], np.int64)
        self.counts = self.counts + np.bincount(places, minlength=len(self.counts))

    def merge(self, other: "Labels") -> None:
        """Add what another has counted."""
        self.counts = self.counts + other.counts

    def get(self) -> Mapping[str, float]:
        """Return the distance and the shares."""
        number = int(self.counts.sum())
        shares = self.counts / number if number else np.full(len(self.counts), np.nan)
        distance = float(np.abs(shares - self._shares).sum() / 2)
        return {"total_variation": distance} | {
            f"share_{name}": float(share) for name, share in zip(self._names, shares, strict=True)
        }

    def state(self) -> State:
        """Return the counts, in the order of the names."""
        return {"counts": self.counts}

    def restore(self, state: State) -> None:
        """Become what returned the state."""
        self.counts = state["counts"]
