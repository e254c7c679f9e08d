"""Decides which batches close now, and of what: pure but for the state that `settle` moves on after a commit."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from services.mix.manifest import Batch, Limits
from services.mix.real import Pool, Position, draw
from services.mix.share import is_due, most_synthetic
from services.mix.waiting import Draft, Waiting
from services.recipe import Mix

Blocked = Literal["seeds", "trainers", "samples"]
REASONS: tuple[Blocked, ...] = get_args(Blocked)


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What the decision looks at beside the samples; times in UTC milliseconds."""

    now: int
    limits: Limits
    slowest_trainer: int | None
    newest: tuple[int, ...]
    read_to: Mapping[int, int]


class Mixture:
    """The state of the mix: the position, and what waits."""

    def __init__(self, recipe: Mix, pipeline: str, pool: Pool, waiting: Waiting, position: Position | None) -> None:
        self._recipe, self._pipeline, self._pool = recipe, pipeline, pool
        self.waiting = waiting
        self.position = position
        self.closed_at: int | None = None

    def begin(self, newest: tuple[int, ...], now: int) -> None:
        """Freeze the pool of epoch 0, if it holds one batch."""
        if self.position is None and self.real_samples(newest) >= self._recipe.batch:
            self.position = Position(cut=newest)
            self.closed_at = now

    def real_samples(self, ends: tuple[int, ...]) -> int:
        """Return how many real samples lie below `ends`."""
        return sum(self._pool.count(partition, end) for partition, end in enumerate(ends))

    def draft(self, view: View, most: int) -> tuple[list[Batch], Draft]:
        """Return up to `most` batches that are due, with the draws they make. Changes nothing."""
        draft = self.waiting.draft()
        batches: list[Batch] = []
        position, closed_at = self.position, self.closed_at
        while position is not None and len(batches) < most:
            batch = self._next(view, draft, position, closed_at)
            if batch is None:
                break
            batches.append(batch)
            position, closed_at = batch.after, view.now
        return batches, draft

    def blocked(self, view: View) -> Blocked:
        """Tell what a mixture waits for that has no batch due: a pool of one batch, its trainers, or fresh samples."""
        if self.position is None:
            return "seeds"
        return "trainers" if self._is_ahead(view, self.position) else "samples"

    def settle(self, batches: list[Batch], draft: Draft, now: int) -> None:
        """Move on: the batches are committed."""
        self.waiting.settle(draft)
        self.position = batches[-1].after
        self.closed_at = now

    def _next(self, view: View, draft: Draft, position: Position, closed_at: int | None) -> Batch | None:
        if self._is_ahead(view, position):
            return None
        target = most_synthetic(view.limits.alpha, self._recipe.batch)
        total, of_a_family = draft.drawable(target, self._recipe.max_family_share)
        oldest = draft.oldest()
        due = is_due(
            target=target,
            drawn=total,
            waited=0.0 if oldest is None else (view.now - oldest) / 1000,
            idle=float("inf") if closed_at is None else (view.now - closed_at) / 1000,
            max_wait=self._recipe.max_wait_seconds,
            trainers=view.slowest_trainer is not None,
        )
        if not due:
            return None
        fresh = draft.take(total, of_a_family)
        reals = draw(self._pool, self._pipeline, position, view.newest, self._recipe.batch - total)
        cursor = draft.cursor(view.read_to)
        return Batch(position=position, reals=reals, fresh=fresh, limits=view.limits, cursor=cursor)

    def _is_ahead(self, view: View, position: Position) -> bool:
        slowest = view.slowest_trainer
        return slowest is not None and position.batch_index >= slowest + self._recipe.ahead
