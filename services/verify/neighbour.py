"""What is known of human text around a candidate: which ones people should see, and what beside them."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from services.verify.check import Batch


class Neighbour(NamedTuple):
    """A seed, by its id, and the beginning of its text."""

    sample_id: str
    text: str


class Guide(Protocol):
    """Knows the human documents."""

    def neighbours(self, batch: Batch) -> Sequence[Neighbour | None]:
        """Return the seed that is nearest to each sample, if that can be told."""

    def in_rare_regions(self, batch: Batch) -> Sequence[bool]:
        """Tell of each sample whether it lies where few human documents do."""
