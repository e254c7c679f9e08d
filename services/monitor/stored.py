"""The state as records of the compacted topic `state`: one for each group, one for the decisions, one guard.

They are written in one transaction, so what the guard says was taken in is stored. Cells that wait for their window are
not: they are read again from the log of sketches.
"""

import json
from collections.abc import Iterable, Mapping

from services.monitor import decisions as deciding
from services.monitor import group as grouping
from services.monitor.cell import cells_of
from services.monitor.core import pending
from services.monitor.decisions import Decisions
from services.monitor.group import Group
from services.monitor.state import Setting, State, Step
from streams.events import BatchSketched

GUARD, DECISIONS = "guard", "decisions"


def records(step: Step) -> dict[str, bytes]:
    """Return what is to be stored after a step, as one."""
    state = step.state
    oldest = min((cell.offset for cell in pending(state.groups)), default=state.offset + 1)
    guard = {
        "offset": state.offset,
        "oldest": oldest,
        "positions": [[word, number, at] for (word, number), at in sorted(state.positions.items())],
    }
    return {
        DECISIONS: deciding.to_bytes(state.decisions),
        **{name: state.groups[name].to_bytes() for name in sorted(step.changed)},
        GUARD: json.dumps(guard).encode(),
    }


def oldest(stored: Mapping[str, bytes]) -> int:
    """Return the offset of the first sketch whose cells still wait for their window."""
    return int(json.loads(stored[GUARD])["oldest"]) if GUARD in stored else 0


def restored(stored: Mapping[str, bytes], setting: Setting, start: Decisions) -> State:
    """Return the state of the records, without waiting cells; `start` are the decisions where there are none."""
    names = [name for name in stored if name not in (GUARD, DECISIONS)]
    groups = {name: grouping.from_bytes(stored[name], setting.partitions, setting.width) for name in names}
    decisions = deciding.from_bytes(stored[DECISIONS]) if DECISIONS in stored else start
    if GUARD not in stored:
        return State(decisions=decisions, groups=groups)
    guard = json.loads(stored[GUARD])
    positions = {(word, number): at for word, number, at in guard["positions"]}
    return State(decisions=decisions, groups=groups, positions=positions, offset=guard["offset"])


def with_waiting(state: State, sketches: Iterable[tuple[int, BatchSketched]], artefact: str) -> State:
    """Return the state with the waiting cells of these sketches, given by offset, from the oldest on."""
    groups: dict[str, Group] = dict(state.groups)
    for offset, event in sketches:
        if offset > state.offset or event.artefact_hash != artefact:
            continue
        for name, cells in cells_of(event, offset, {}).items():
            if name in groups:
                for cell in cells:
                    groups[name] = groups[name].waiting(cell)
    return State(decisions=state.decisions, groups=groups, positions=state.positions, offset=state.offset)
