"""Everything that is known of one group: its windows, its change test, its growth, and where its samples lie."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.artefact import SCORES
from services.groups import Name
from services.monitor import change, trace
from services.monitor.cell import Cell, check_next
from services.monitor.change import Change
from services.monitor.trace import Trace
from services.monitor.windows import Windows
from streams.stats.documents import Documents
from streams.stats.growth import Growth
from streams.stats.novelty import MEMORY
from streams.stats.sequential import CELL
from streams.stats.statistic import State, pack, unpack

_GROWTH = 4_096  # types that the growth curve is reckoned from
_HASH_BYTES = 64


class Rejected(NamedTuple):
    """Samples that a check has rejected since the last whole window, and the sum of their surprisal."""

    documents: int
    surprisal: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Never changed: `take` returns the next. `last` holds the values of the last whole window.

    `begun` tells how many seeds there were when the baseline began; of the seeds themselves, at their last shift.
    """

    windows: Windows
    change: Change
    trace: Trace = field(default_factory=trace.fresh)
    growth: Mapping[str, Any] = field(default_factory=lambda: Growth(_GROWTH).state())
    opened: Mapping[int, int] = field(default_factory=dict)
    last: Mapping[str, float] = field(default_factory=dict)
    rejected: Mapping[str, Rejected] = field(default_factory=dict)  # by check
    narrow: int = 0  # whole windows in a row that verification has narrowed
    begun: int = 0
    artefact: str = ""

    @property
    def documents(self) -> int:
        """How many documents there were in full cells."""
        return CELL * sum(self.windows.next.values())

    def renewed_since(self, documents: int) -> float:
        """Return by how much the share of what is older than the last shift has fallen since there were so many."""
        if not self.begun:
            return 0.0
        return self.begun / max(self.begun, documents) - self.begun / max(self.begun, self.documents)

    def take(self, cell: Cell, name: Name, judged: NDArray[np.bool_]) -> tuple["Group", Documents | None]:
        """Take the next cell in; return the window that it completes. Only the `judged` documents are tested."""
        windows, whole = self.windows.take(cell)
        tested, traced = self.change, self.trace
        if name.is_tested and cell.number >= warm_up(self.windows.partitions):
            tested = tested.take(cell._replace(documents=cell.documents.at(judged)))
        if name.word == "verify":
            traced = traced.take(cell)
        growth = self.growth if whole is None else _grown(self.growth, whole)
        return replace(self, windows=windows, change=tested, trace=traced, growth=growth), whole

    def waiting(self, cell: Cell) -> "Group":
        """Return the group with a cell that it took before its last restart, if that still waits for its window."""
        return replace(self, windows=self.windows.with_pending(cell))

    def is_next(self, name: str, cell: Cell) -> bool:
        """Tell whether the cell is to be taken; raises FatalError where one before it is missing."""
        return check_next(name, cell, self.windows.next.get(cell.partition))

    def under(self, artefact: str) -> "Group":
        """Return the group for cells of this artefact; of another one's numbers nothing can be kept."""
        if self.artefact in ("", artefact):
            return replace(self, artefact=artefact)
        restarted = self.windows.restarted()
        tested = replace(self.change.anew(), waits=0)  # novelty still knows what was said
        return replace(self, windows=restarted, change=tested, last={}, rejected={}, begun=0, artefact=artefact)

    def rejecting(self, check: str, documents: int, surprisal: float) -> "Group":
        """Return the group after a check has rejected documents with that sum of surprisal."""
        before = self.rejected.get(check, Rejected(0, 0.0))
        after = Rejected(before.documents + documents, before.surprisal + surprisal)
        return replace(self, rejected={**self.rejected, check: after})

    def heaps(self) -> dict[str, float]:
        """Return the vocabulary's growth over all whole windows."""
        growth = Growth(_GROWTH)
        growth.restore(self.growth)
        found = growth.get()
        return {"heaps_words": found["words"], "heaps_types": found["types"], "heaps_beta": found["heaps"]}

    def to_bytes(self) -> bytes:
        """Return all of it but the cells that wait for their window: those are read again from the log."""
        windows, tested, traced = self.windows, self.change, self.trace
        return pack(
            {
                "next": _pairs(windows.next),
                "numbers": np.array([windows.window, self.narrow, tested.tested, self.begun, tested.waits]),
                "scores": tested.scores,
                "log_m": tested.log_m,
                "suspects": tested.suspects,
                "since": _pairs(tested.since),
                "opened": _pairs(self.opened),
                "keys": traced.keys,
                "places": traced.places,
                "names": np.array(list(self.last), "U32"),
                "last": np.array(list(self.last.values()), np.float64),
                "checks": np.array(list(self.rejected), "U32"),
                "rejected": np.array(list(self.rejected.values()), np.float64).reshape(-1, 2),
                "artefact": np.array(self.artefact, f"U{_HASH_BYTES}"),
                **{f"growth_{key}": value for key, value in self.growth.items()},
                **{
                    f"opinion_{key}": value for key, value in (tested.opinion.state() if tested.opinion else {}).items()
                },
            }
        )


def warm_up(partitions: int) -> int:
    """Return how many cells of a partition fill novelty's memory: before that, everything seems new."""
    return -(-MEMORY // partitions // CELL)


def fresh(partitions: int, width: int) -> Group:
    """Return a group of which nothing is known."""
    return Group(windows=Windows(partitions=partitions, width=width), change=change.fresh(len(SCORES)))


def from_bytes(data: bytes, partitions: int, width: int) -> Group:
    """Return the group that gave the bytes, without the cells that wait."""
    of = unpack(data)
    window, narrow, tested, begun, waits = of["numbers"].tolist()
    return Group(
        windows=Windows(partitions=partitions, width=width, next=_mapping(of["next"]), window=window),
        change=Change(
            scores=of["scores"],
            log_m=of["log_m"],
            suspects=of["suspects"],
            since=_mapping(of["since"]),
            tested=tested,
            waits=waits,
            baseline=change.baseline_of(of["scores"]),
            opinion=change.opinion_of(of["scores"], _under("opinion_", of)),
        ),
        trace=Trace(keys=of["keys"], places=of["places"]),
        growth=_under("growth_", of),
        opened=_mapping(of["opened"]),
        last=dict(zip(of["names"].tolist(), of["last"].tolist(), strict=True)),
        rejected={
            check: Rejected(int(documents), surprisal)
            for check, (documents, surprisal) in zip(of["checks"].tolist(), of["rejected"].tolist(), strict=True)
        },
        narrow=narrow,
        begun=begun,
        artefact=str(of["artefact"]),
    )


def _grown(state: Mapping[str, Any], whole: Documents) -> Mapping[str, Any]:
    growth = Growth(_GROWTH)
    growth.restore({key: value.copy() for key, value in state.items()})
    growth.update(whole.flat())
    return growth.state()


def _under(prefix: str, of: State) -> State:
    return {key.removeprefix(prefix): value for key, value in of.items() if key.startswith(prefix)}


def _pairs(of: Mapping[int, int]) -> np.ndarray[Any, np.dtype[np.int64]]:
    return np.array(sorted(of.items()), np.int64).reshape(-1, 2)


def _mapping(pairs: np.ndarray[Any, np.dtype[np.int64]]) -> dict[int, int]:
    return {int(key): int(value) for key, value in pairs}
