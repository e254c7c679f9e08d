"""The real samples' way into batches: without replacement, in a keyed order, from a pool frozen for the epoch."""

from bisect import bisect_right
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import NamedTuple, Protocol

from streams.permutation import permuted


class Pool(Protocol):
    """The seeds at hand, dense within each partition."""

    def count(self, partition: int, below: int | None = None) -> int:
        """Return how many are held, or how many with an offset below `below`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where the mixture stands: `batch_index` comes next; `next_real` of the epoch's samples are drawn."""

    batch_index: int = 0
    epoch: int = 0
    cut: tuple[int, ...]
    next_real: int = 0
    synthetic_total: int = 0


class Real(NamedTuple):
    """One real draw; the position is the one after it."""

    partition: int
    number: int
    after: Position


def draw(pool: Pool, pipeline: str, position: Position, newest: tuple[int, ...], count: int) -> list[Real]:
    """Return the next `count` real samples; an epoch that is through is followed by one over the pool up to `newest`.

    The pool up to `newest` must not be empty.
    """
    if count and not sum(pool.count(partition, end) for partition, end in enumerate(newest)):
        raise ValueError("there is no real sample to draw; an epoch over an empty pool never ends")
    drawn: list[Real] = []
    while len(drawn) < count:
        ends = list(accumulate(pool.count(partition, cut) for partition, cut in enumerate(position.cut)))
        left = (ends[-1] if ends else 0) - position.next_real
        if left == 0:
            position = replace(position, epoch=position.epoch + 1, cut=newest, next_real=0)
            continue
        piece = min(left, count - len(drawn))
        for place in permuted(f"{pipeline}/{position.epoch}", ends[-1], position.next_real, piece):
            partition = bisect_right(ends, place)
            position = replace(position, next_real=position.next_real + 1)
            drawn.append(Real(partition, place - (ends[partition - 1] if partition else 0), position))
    return drawn
