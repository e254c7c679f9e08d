"""What the recipe says about review, in the units that the code counts in."""

from typing import NamedTuple

from services.recipe import Review
from services.review import overlap


class Terms(NamedTuple):
    """How many decisions a sample needs; times in milliseconds."""

    overlap: int
    overlap_share: float
    lease: int
    undo: int

    def needed(self, sample_id: str) -> int:
        """Return how many blind decisions a sample needs."""
        return overlap.needed(sample_id, self.overlap, self.overlap_share)


def terms(review: Review) -> Terms:
    """Return the terms of a recipe."""
    return Terms(
        review.overlap, review.overlap_share, int(review.lease_minutes * 60_000), int(review.undo_seconds * 1_000)
    )
