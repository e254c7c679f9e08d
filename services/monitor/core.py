"""The monitor's arithmetic, without Kafka or Faust: from a sketch and a state to the next state and what it says.

States never change, so who runs this may drop one; a sketch that was taken before changes nothing.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from services import regions
from services.artefact import SCORES
from services.groups import ALL, HUMAN, MOST, Name, parsed
from services.monitor import decisions as deciding
from services.monitor import group as grouping
from services.monitor import levels, measuring, together
from services.monitor.cell import Cell, cells_of
from services.monitor.decisions import Alarm
from services.monitor.group import Group
from services.monitor.state import Setting, State, Step
from services.monitor.yardstick import Null, Yardstick
from streams.errors import FatalError
from streams.events import AlarmKind, BatchSketched, CollapseMeasured, event_id
from streams.stats.documents import Documents

_FOLLOWED = 0.02  # of the seeds: what moves less moves a mean by less than a test's tolerance, in domains 5 sd apart


class MonitorCore:
    """Takes sketches one after the other."""

    def __init__(self, setting: Setting, yardstick: Yardstick) -> None:
        self._setting, self._yardstick = setting, yardstick

    def take(self, state: State, event: BatchSketched, offset: int) -> Step:
        """Take a sketch in; raises FatalError where one before it is missing."""
        place = (event.source_topic, event.source_partition)
        known = state.positions.get(place, event.from_position)
        if event.from_position > known:
            raise FatalError(
                f"The sketch at offset {offset} begins at {event.from_position} of {place[0]} {place[1]}, where "
                f"{known} is expected; start the monitor again to read from its state on"
            )
        positions = {**state.positions, place: max(known, event.to_position)}
        now = replace(state, positions=positions, offset=max(offset, state.offset))
        if event.artefact_hash != self._setting.artefact:
            return Step(now, frozenset(), ())  # of a reference that is no longer accepted
        if event.to_position <= state.positions.get(place, -1):
            return Step(now, frozenset(), ())  # taken before
        return self._take_groups(now, event, offset)

    def _take_groups(self, now: State, event: BatchSketched, offset: int) -> Step:
        before, measured = now.groups, []
        for key, documents in sorted(event.rejected.items()):
            of, _, check = key.rpartition("/")
            if (group := self._group(now, f"verify/{of}")) is not None:
                group = group.under(event.artefact_hash).rejecting(check, documents, event.rejected_surprisal[key])
                now = replace(now, groups={**now.groups, f"verify/{of}": group})
        opened = {name: group.opened.get(event.source_partition) for name, group in now.groups.items()}
        found = cells_of(event, offset, {name: at for name, at in opened.items() if at is not None})
        for name in sorted({*found, *event.open_cells}):
            if (group := self._group(now, name)) is None:
                continue
            group = group.under(event.artefact_hash)
            for cell in found.get(name, []):
                if group.is_next(name, cell):
                    now, group, said = self._take_cell(now, name, group, cell, event.occurred_at)
                    measured += said
            group = _opened(group, event, is_filled=name in found)
            now = replace(now, groups={**now.groups, name: group})
        changed = frozenset(name for name, group in now.groups.items() if group is not before.get(name))
        stamped = tuple(replace(each, occurred_at=event.occurred_at, last_offset=offset) for each in measured)
        return Step(now, changed, tuple(self._signed(each) for each in stamped))

    def _group(self, now: State, name: str) -> Group | None:
        """Return a group or a fresh one; None if it is one too many, as when a recipe had many other sources before."""
        if name in now.groups or len(now.groups) < MOST:
            return now.groups.get(name) or grouping.fresh(self._setting.partitions, self._setting.width)
        return None

    def _signed(self, each: CollapseMeasured) -> CollapseMeasured:
        return replace(each, artefact_hash=self._setting.artefact, reference_version=self._setting.version)

    def _take_cell(
        self, now: State, name: str, group: Group, cell: Cell, at: int
    ) -> tuple[State, Group, list[CollapseMeasured]]:
        parts = parsed(name)
        if parts.source != HUMAN and not len(group.change.scores):
            seeds = now.groups.get(f"seed/{parts.task}/{HUMAN}")
            group = replace(group, begun=seeds.documents if seeds else 0)
        judged = self._yardstick.is_calibrated(cell.documents)
        group, whole = group.take(cell, parts, judged)
        measured = []
        if whole is not None:
            now, group, said = self._measure(now, name, group, whole)
            measured.append(said)
        is_new = parts.word == "generate" and now.decisions.source(parts.source).phase == "admitting"
        if is_new and group.change.admitted and group.last:  # without a whole window nothing is known of its level
            refused = levels.fault(group.last, self._yardstick.nulls)
            admitted = deciding.admitted(now.decisions, parts.source, at, refused_for=refused)
            now = replace(now, decisions=admitted)
        if group.change.admitted and group.change.evidence()[0] >= self._setting.threshold:
            if now.decisions.source(parts.source).phase == "quarantined":  # candidates that were under way
                group = replace(group, change=group.change.retested())
            else:
                now, group, said = self._alarm(now, name, group, cell, at)
                measured.append(said)
                now = _unheard(now, parts)
        else:
            now, more = self._take_together(now, parts, group, cell, judged)
            measured += more
        return self._end_probation(now, parts, group, at), group, measured

    def _measure(self, now: State, name: str, group: Group, whole: Documents) -> tuple[State, Group, CollapseMeasured]:
        parts, nulls = parsed(name), self._yardstick.nulls_of(whole)
        values = {**self._yardstick.values(whole), **group.heaps(), **group.change.drifts()}
        values |= measuring.rejected_shares(group.rejected, len(whole.keys))
        window = group.windows.window - 1
        if window * self._setting.width < grouping.warm_up(self._setting.partitions):  # some of it had no past
            values = {name: value for name, value in values.items() if not name.startswith("novel_")}
        evidence = group.change.evidence()[0] if group.change.is_testing else None
        found = measuring.statistics(values, nulls, evidence)
        narrowed = self._narrowed(now, parts, group, values, nulls)
        group = replace(group, last=values, rejected={}, narrow=group.narrow + 1 if narrowed else 0)
        says_so = measuring.narrows(group)
        if parts.word == "mix":
            inputs = {each.name: each.excess for each in found if each.excess is not None}
            # Epochs repeat what was said lately, whatever the share: the mix's novelty tells nothing of its tail.
            excess = measuring.tail_excess(tuple(each for each in found if not each.name.startswith("novel_")))
            limits = self._setting.limits
            now = replace(now, decisions=deciding.measured(now.decisions, window, excess, limits, inputs))
        if parts.word == "generate":
            here = self._yardstick.regions
            there = regions.counted(whole.vectors, here)
            now = replace(now, decisions=deciding.reached(now.decisions, parts.source, there, here))
        event = CollapseMeasured(
            event_id=event_id(CollapseMeasured, name, self._setting.version, window),
            occurred_at=0,
            group=name,
            window=window,
            documents=len(whole.keys),
            last_offset=0,
            statistics=found,
            alarm=narrowed if says_so else None,
            alarm_kind="verification_narrows" if says_so else "none",
        )
        return now, group, event

    def _narrowed(
        self, now: State, parts: Name, group: Group, values: Mapping[str, float], nulls: Mapping[str, Null]
    ) -> str | None:
        """Return the check by which verification loses too much, or the statistic if it is none of them.

        Looked at once as much was generated.
        """
        generated = now.groups.get(f"generate/{parts.task}/{parts.source}")
        if parts.word != "verify" or generated is None or not generated.last or not group.last:
            return None
        lost = measuring.narrowed_by(values, generated.last, nulls)
        return lost and (measuring.costliest(group.rejected, generated.last["surprisal"]) or lost)

    def _alarm(self, now: State, name: str, group: Group, cell: Cell, at: int) -> tuple[State, Group, CollapseMeasured]:
        parts = parsed(name)
        evidence, strongest = group.change.evidence()
        shifts = dict(zip(SCORES, group.change.means(cell.documents).tolist(), strict=True))
        event = measuring.alarm(name, group, group.change.scores, cell.documents, (evidence, strongest))
        kind: AlarmKind = "shift" if parts.source == HUMAN or self._seeds_move(now, parts, group) else "change"
        if kind == "change":
            told = Alarm(
                at=at,
                held=self._suspect_ranges(now, parts, group),
                reason=_told(parts.source, SCORES[strongest], shifts, evidence, group),
                inputs={"evidence": min(evidence, 1e300), "documents": float(len(group.change.suspects)), **shifts},
            )
            now = replace(now, decisions=deciding.alarmed(now.decisions, parts.source, told, self._setting.limits))
            return now, replace(group, change=group.change.retested()), replace(event, alarm_kind=kind)
        # The ground has moved under everybody: what was normal before is no baseline any more.
        begun = group.documents if parts.source == HUMAN else group.begun
        return now, replace(group, change=group.change.anew(), begun=begun), replace(event, alarm_kind=kind)

    def _take_together(
        self, now: State, parts: Name, source: Group, cell: Cell, judged: NDArray[np.bool_]
    ) -> tuple[State, list[CollapseMeasured]]:
        """Test all sources of a task together by the cell of one."""
        name = str(parts._replace(source=ALL))
        is_heard = parts.word == "generate" and now.decisions.source(parts.source).phase == "healthy"
        if not (is_heard and source.change.admitted and judged.any()) or (union := self._group(now, name)) is None:
            return now, []
        said, limits = [], self._setting.limits
        union = together.heard(
            union.under(self._setting.artefact), source.change, cell._replace(documents=cell.documents.at(judged))
        )
        if together.is_alarm(union, {**now.groups, str(parts): source}, parts, self._setting.threshold):
            evidence, strongest = union.change.evidence()
            kind: AlarmKind = "shift" if self._seeds_move(now, parts, source) else "change"
            event = measuring.alarm(name, union, source.change.scores, cell.documents, (evidence, strongest))
            said.append(replace(event, alarm_kind=kind))
            if kind == "change":
                reason = together.told(parts.task, SCORES[strongest], evidence, len(union.change.suspects))
                now = replace(now, decisions=deciding.alarmed_together(now.decisions, reason, evidence, limits))
            union = replace(union, change=union.change.retested())
        return replace(now, groups={**now.groups, name: union}), said

    def _seeds_move(self, now: State, parts: Name, group: Group) -> bool:
        """Tell whether the human seeds change too, or have since the group's baseline began, and it may follow them."""
        seeds = now.groups.get(f"seed/{parts.task}/{HUMAN}")
        if seeds is None:
            return False
        moves_now = seeds.change.admitted and seeds.change.evidence()[0] >= sqrt(self._setting.threshold)
        return moves_now or seeds.renewed_since(group.begun) >= _FOLLOWED

    def _suspect_ranges(self, now: State, parts: Name, group: Group) -> dict[int, int]:
        """Return for each partition of verify from which offset on the source's samples are suspect."""
        reached = {number: at for (word, number), at in now.positions.items() if word == "verify"}
        beyond = {number: reached.get(number, 0) for number in range(self._setting.partitions)}
        verified = now.groups.get(f"verify/{parts.task}/{parts.source}")
        if verified is None:
            return beyond
        return verified.trace.first_offsets(group.change.suspects, {**beyond, **verified.opened})

    def _end_probation(self, now: State, parts: Name, group: Group, at: int) -> State:
        source = now.decisions.source(parts.source)
        if parts.word != "generate" or source.phase != "probation":
            return now
        if group.change.tested - source.tested < deciding.PROBATION_DOCUMENTS:
            return now
        ends = {number: end for (word, number), end in now.positions.items() if word == "verify"}
        return replace(now, decisions=deciding.returned(now.decisions, parts.source, at, ends))


def _unheard(now: State, parts: Name) -> State:
    """Let all sources together be tested anew: what one of them has said is told, or no longer measured as before."""
    name = str(parts._replace(source=ALL))
    if name not in now.groups:
        return now
    union = replace(now.groups[name], change=now.groups[name].change.retested())
    return replace(now, groups={**now.groups, name: union})


def declare(state: State, declared: Mapping[str, str]) -> State:
    """Return the state under the recipe of today: what was normal for another model is no baseline for this one."""
    decisions, others = deciding.declare(state.decisions, declared)
    groups = {name: _declared(group, parsed(name).source, others) for name, group in state.groups.items()}
    return replace(state, decisions=decisions, groups=groups)


def _declared(group: Group, source: str, others: Collection[str]) -> Group:
    """Return a group where these sources are other ones than before."""
    if source in others:
        return replace(group, change=group.change.anew(), last={})
    return replace(group, change=group.change.retested()) if others and source == ALL else group


def pending(groups: Mapping[str, Group]) -> Iterator[Cell]:
    """Yield the cells that wait for their window."""
    for group in groups.values():
        yield from group.windows.pending


def _opened(group: Group, event: BatchSketched, *, is_filled: bool) -> Group:
    """Note where the unfinished cell of the event's partition may begin."""
    if is_filled or event.source_partition not in group.opened:
        return replace(group, opened={**group.opened, event.source_partition: event.from_position})
    return group


def _told(source: str, statistic: str, shifts: Mapping[str, float], evidence: float, group: Group) -> str:
    way = "fell" if shifts[statistic] < 0 else "rose"
    places = ", ".join(f"{number}@{start}" for number, start in sorted(group.change.since.items()))
    return (
        f"source {source} changed: {statistic} {way}, odds {evidence:.1e} to 1, over its last "
        f"{len(group.change.suspects)} documents (generate {places}); its weight is 0 and they are held"
    )
