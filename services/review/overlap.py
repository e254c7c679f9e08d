"""How many people have to see a sample, and whether they agree.

A share of the samples, drawn by hash, needs several blind decisions: what they agree on holds, else a lead decides.
"""

from collections.abc import Sequence

from streams.events import ReviewSubmitted
from streams.samples import fraction


def needed(sample_id: str, overlap: int, share: float) -> int:
    """Return how many blind decisions a sample needs; always the same answer for one id."""
    return overlap if fraction("overlap", sample_id) < share else 1


def settles(opinions: Sequence[ReviewSubmitted], decision: ReviewSubmitted, needed: int) -> bool:
    """Tell whether a blind decision, after these opinions, is the last that is needed and agrees with all of them."""
    return len(opinions) + 1 >= needed and all(_agree(opinion, decision) for opinion in opinions)


def _agree(first: ReviewSubmitted, second: ReviewSubmitted) -> bool:
    return (first.decision, first.edited_sample_id) == (second.decision, second.edited_sample_id)
