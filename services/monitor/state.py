"""What the monitor knows, never changed: each step returns the next."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from services.monitor.control import Limits
from services.monitor.decisions import Decisions
from services.monitor.group import Group
from streams.events import CollapseMeasured

Place = tuple[str, int]  # word of the topic, partition


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Everything; `positions` up to where each partition is known, `offset` the last sketch taken in."""

    decisions: Decisions
    groups: Mapping[str, Group] = field(default_factory=dict)
    positions: Mapping[Place, int] = field(default_factory=dict)
    offset: int = -1


class Step(NamedTuple):
    """What a sketch leads to: the next state, the names of the groups that changed, and what is to be written."""

    state: State
    changed: frozenset[str]
    measured: tuple[CollapseMeasured, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What does not change while the monitor runs; `width` is a window's cells in each partition."""

    partitions: int
    width: int
    threshold: float
    limits: Limits
    artefact: str
    version: int
