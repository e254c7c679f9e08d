"""Parts that only one event has; field by field the same as in `schemas/`."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from streams.samples import UNPLANNED, Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class OffsetRange:
    """Offsets from (included) to (excluded)."""

    from_offset: int
    to_offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawCursor:
    """How far one source's accepted samples are drawn in one partition."""

    source: str
    partition: int
    next_offset: int
    skipped: tuple[OffsetRange, ...] = ()


class MixManifest(NamedTuple):
    """The fields of SampleMixed before `sample`, to be joined with the bytes of a sample that is not decoded."""

    event_id: str
    occurred_at: int
    batch_index: int
    position: int
    batch_size: int
    epoch: int
    cut: tuple[int, ...]
    next_real: int
    alpha: float
    recipe_cap: float
    policy_version: int
    synthetic: bool
    synthetic_total: int
    source_topic: str
    source_partition: int
    source_offset: int
    cursor: tuple[DrawCursor, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistic:
    """One value with its null."""

    name: str
    value: float
    null_median: float | None = None
    null_halfwidth: float | None = None
    excess: float | None = None
    evidence: float | None = None


OPEN_END = 1 << 62  # where a range goes on


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRange:
    """Accepted samples of one source in one partition of verify."""

    source: str
    partition: int = -1
    from_offset: int
    to_offset: int
    planned_before: int = -1  # beyond the end too: what was planned under a policy before this version


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One of the call's answers."""

    text: str
    finish_reason: str = "stop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a sample says."""

    turns: tuple[Turn, ...]
    label: str | None = None
    answer: str | None = None
    tests: str | None = None


def covered(ranges: Iterable[SourceRange], source: str, partition: int, offset: int, planned: int = UNPLANNED) -> bool:
    """Tell whether one of the ranges has the accepted sample at this place, which was planned under policy `planned`.

    A range's partition -1 means every one.
    """
    return any(
        part.source == source
        and part.partition in (-1, partition)
        and part.from_offset <= offset
        and (offset < part.to_offset or planned < part.planned_before)
        for part in ranges
    )
