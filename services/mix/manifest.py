"""One training batch as records: each carries the manifest that replays it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from services.mix.real import Position, Real
from services.mix.share import is_synthetic
from services.mix.waiting import Fresh
from streams.events import SampleMixed, event_id
from streams.parts import DrawCursor, MixManifest


class Limits(NamedTuple):
    """What was allowed when the batch closed."""

    alpha: float
    recipe_cap: float
    policy_version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """A batch that is drawn: `position` is the one before it, `cursor` tells what is drawn after it."""

    position: Position
    reals: Sequence[Real]
    fresh: Sequence[Fresh]
    limits: Limits
    cursor: tuple[DrawCursor, ...]

    @property
    def size(self) -> int:
        """Samples in the batch."""
        return len(self.reals) + len(self.fresh)

    @property
    def after(self) -> Position:
        """The position after the batch."""
        last = self.reals[-1].after if self.reals else self.position
        return Position(
            batch_index=self.position.batch_index + 1,
            epoch=last.epoch,
            cut=last.cut,
            next_real=last.next_real,
            synthetic_total=self.position.synthetic_total + len(self.fresh),
        )


class Place(NamedTuple):
    """One place of a batch: what lies there, and where the mixture stands with it."""

    number: int
    drawn: Real | Fresh
    position: Position
    synthetic_total: int


def places(batch: Batch) -> list[Place]:
    """Return the places of a batch in order, synthetic ones spread evenly."""
    reals, fresh = iter(batch.reals), iter(batch.fresh)
    position, total = batch.position, batch.position.synthetic_total
    found: list[Place] = []
    for number, synthetic in enumerate(is_synthetic(len(batch.fresh), batch.size)):
        drawn: Real | Fresh = next(fresh) if synthetic else next(reals)
        if isinstance(drawn, Real):
            position = drawn.after
        else:
            total += 1
        found.append(Place(number, drawn, position, total))
    return found


def manifest(batch: Batch, place: Place, offset: int, now: int) -> MixManifest:
    """Return the manifest of one place; `offset` is the sample's in its topic."""
    synthetic = isinstance(place.drawn, Fresh)
    return MixManifest(
        event_id=event_id(SampleMixed, batch.position.batch_index, place.number),
        occurred_at=now,
        batch_index=batch.position.batch_index,
        position=place.number,
        batch_size=batch.size,
        epoch=place.position.epoch,
        cut=place.position.cut,
        next_real=place.position.next_real,
        alpha=batch.limits.alpha,
        recipe_cap=batch.limits.recipe_cap,
        policy_version=batch.limits.policy_version,
        synthetic=synthetic,
        synthetic_total=place.synthetic_total,
        source_topic="verify" if synthetic else "seed",
        source_partition=place.drawn.partition,
        source_offset=offset,
        cursor=batch.cursor if place.number == batch.size - 1 else (),
    )


def position_after(last: SampleMixed) -> Position:
    """Return where the mixture stands after the batch whose last record this is."""
    return Position(
        batch_index=last.batch_index + 1,
        epoch=last.epoch,
        cut=last.cut,
        next_real=last.next_real,
        synthetic_total=last.synthetic_total,
    )
