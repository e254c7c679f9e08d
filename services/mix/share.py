"""How much of a batch may be synthetic, from which families, and where in the batch it lies."""

from collections.abc import Mapping
from math import floor


def most_synthetic(alpha: float, batch: int) -> int:
    """Return the largest number of synthetic samples in a batch: floor(alpha * batch)."""
    return floor(alpha * batch)


def drawable(waiting: Mapping[str, int], target: int, max_family_share: float) -> tuple[int, int]:
    """Return how many samples can be drawn now, and how many of them at most from one family.

    `waiting` counts the undrawn samples of each family. While more than one family has some, none may give more
    than `max_family_share` of what is drawn; a share that no split can keep means equal parts.
    """
    counts = [count for count in waiting.values() if count > 0]
    if len(counts) <= 1:
        total = min(target, sum(counts))
        return total, total
    for total in range(min(target, sum(counts)), 0, -1):
        limit = max(floor(max_family_share * total), total // len(counts))
        if sum(min(count, limit) for count in counts) >= total:
            return total, limit
    return 0, 0


def is_synthetic(synthetic: int, batch: int) -> list[bool]:
    """Spread `synthetic` places evenly over a batch: any k places in a row hold at most ceil(k * share) of them."""
    return [(place + 1) * synthetic // batch > place * synthetic // batch for place in range(batch)]


def is_due(*, target: int, drawn: int, waited: float, idle: float, max_wait: float, trainers: bool) -> bool:
    """Tell whether a batch closes now.

    `drawn` of the `target` wanted fresh samples are there, the oldest has waited `waited` seconds, and the last batch
    closed `idle` seconds ago. Without a trainer only batches with something fresh are made.
    """
    if drawn == 0 and not trainers:
        return False
    return drawn >= target or (drawn > 0 and waited >= max_wait) or (drawn == 0 and idle >= max_wait)
