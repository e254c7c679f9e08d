"""Documents of made-up words, sketches of them as the sketch stage writes them, and a core with windows of 100."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from services.artefact import SCORES, TRAITS
from services.monitor import control, stored
from services.monitor.cell import Cell
from services.monitor.change import ADMISSION
from services.monitor.core import MonitorCore
from services.monitor.decisions import Decisions
from services.monitor.group import Group, Name
from services.monitor.state import Setting, State, Step
from services.monitor.yardstick import Yardstick
from streams.events import BatchSketched, CollapseMeasured, event_id
from streams.stats.documents import WORDS, Documents, join
from streams.stats.novelty import MEMORY
from streams.stats.sequential import CELL, threshold

PARTITIONS, WIDTH = 2, 2
WINDOW = PARTITIONS * WIDTH * CELL
ARTEFACT = "made-up"
LIMITS = control.Limits(floor=0.05, cap=0.3)
SETTING = Setting(
    partitions=PARTITIONS,
    width=WIDTH,
    threshold=threshold(25_000_000, 4),
    limits=LIMITS,
    artefact=ARTEFACT,
    version=1,
)
START = Decisions(control=control.start(LIMITS))
SEEDS, MIX = "seed/text/human", "mix/text/all"
_FACTOR = np.uint32(2_654_435_761)
_VOCABULARY = 20_000


def documents(rng: np.random.Generator, count: int, fall: float = 0.0) -> Documents:
    """Return documents whose words follow Zipf's law; every score is uniform, and lower by `fall`."""
    words = (rng.zipf(1.3, (count, WORDS)) % _VOCABULARY).astype(np.uint32) * _FACTOR
    return Documents(
        keys=rng.integers(0, 1 << 63, count).astype(np.uint64),
        words=words,
        vectors=rng.normal(size=(count, 6)).astype(np.float16),
        scores=(rng.random((count, len(SCORES))) - fall).astype(np.float32),
        traits=np.floor(rng.random((count, len(TRAITS))) * 40).astype(np.float32),
        symbols=rng.integers(0, 150, (count, WORDS), np.uint8),
        strata=np.zeros(count, np.uint16),
        meanings=np.empty((count, 0), np.float16),
    )


def cell_of(said: Documents, partition: int = 0, number: int = 0, start: int = 0) -> Cell:
    return Cell(partition, number, said, start, start + len(said.keys), 0)


def took(group: Group, cell: Cell, word: str) -> tuple[Group, Documents | None]:
    """Return a group of this topic after a cell of which every document is tested."""
    return group.take(
        cell, Name(word, "text", "human" if word == "seed" else "a"), np.ones(len(cell.documents.keys), bool)
    )


def cells_of_stream(said: Documents, partition: int = 0) -> list[Cell]:
    """Return the full cells of a stream that lies alone in a partition."""
    starts = range(0, len(said.keys) - CELL + 1, CELL)
    return [cell_of(said.part(at, at + CELL), partition, at // CELL, at) for at in starts]


class Found(NamedTuple):
    """Where a document lies: partition and offset."""

    partition: int
    offset: int


class Sketcher:
    """Writes sketches of what is said; `places` tells where each document lies, by word and key."""

    def __init__(self) -> None:
        self.artefact = ARTEFACT
        self.positions: dict[tuple[str, int], int] = {}
        self.places: dict[tuple[str, int], Found] = {}
        self._open: dict[tuple[str, int], Documents] = {}
        self._cells: dict[tuple[str, int], int] = {}

    def sketch(self, partition: int, said: Mapping[str, Documents], gap: int = 1) -> BatchSketched:
        """Return the sketch of documents by group, all of one topic; they take turns, and `gap` records follow."""
        word = next(iter(said)).partition("/")[0]
        start = end = self.positions.get((word, partition), 0)
        turns = sorted((at, group) for group, documents in said.items() for at in range(len(documents.keys)))
        for at, group in turns:
            self.places[word, int(said[group].keys[at])] = Found(partition, end)
            end += 1
        self.positions[word, partition] = end = end + gap
        cells: dict[str, bytes] = {}
        for group, new in said.items():
            cells |= self._fill(group, partition, new)
        return BatchSketched(
            event_id=event_id(BatchSketched, word, partition, start),
            occurred_at=1_000 * start,
            source_topic=word,
            source_partition=partition,
            from_position=start,
            to_position=end,
            documents=end - start - gap,
            artefact_hash=self.artefact,
            reference_version=1,
            groups=cells,
            open_cells=dict.fromkeys(said, b""),
        )

    def refitted(self, artefact: str) -> None:
        """Go on with another artefact: unfinished cells are lost, their numbers are given again."""
        self.artefact = artefact
        self._open.clear()

    def _fill(self, group: str, partition: int, new: Documents) -> dict[str, bytes]:
        place = (group, partition)
        waiting = join([self._open[place], new]) if place in self._open else new
        full = len(waiting.keys) // CELL
        first = self._cells.get(place, 0)
        self._cells[place] = first + full
        self._open[place] = waiting.part(full * CELL, len(waiting.keys))
        cells = [waiting.part(at * CELL, (at + 1) * CELL) for at in range(full)]
        return {f"{group}#{first + at}": cell.to_bytes() for at, cell in enumerate(cells)}


@cache
def yardstick() -> Yardstick:
    return Yardstick(documents(np.random.default_rng(11), 6 * WINDOW), WINDOW)


@cache
def core() -> MonitorCore:
    return MonitorCore(SETTING, yardstick())


class Run:
    """A monitor that reads a log of sketches; `log` holds them by offset, `measured` what was written."""

    def __init__(self, state: State | None = None, log: Sequence[BatchSketched] = ()) -> None:
        self.state = state or State(decisions=START)
        self.log = list(log)
        self.measured: list[CollapseMeasured] = []

    def take(self, event: BatchSketched) -> Step:
        """Write a sketch to the log and take it in."""
        self.log.append(event)
        step = core().take(self.state, event, len(self.log) - 1)
        self.state = step.state
        self.measured += step.measured
        return step

    def alarms(self) -> list[CollapseMeasured]:
        return [each for each in self.measured if each.alarm is not None]


def restore(records: Mapping[str, bytes], log: Sequence[BatchSketched]) -> State:
    """Return the state of stored records, with the cells that wait read again from the log."""
    state = stored.restored(records, SETTING, START)
    again = [(at, log[at]) for at in range(stored.oldest(records), state.offset + 1)]
    return stored.with_waiting(state, again, ARTEFACT)


def without_windows(state: State) -> State:
    """Return the state with windows that are never whole: what is not about them is quicker then."""
    groups = {
        name: replace(group, windows=replace(group.windows, width=1 << 20, pending=()))
        for name, group in state.groups.items()
    }
    return replace(state, groups=groups)


def known(state: State) -> dict[str, Any]:
    """Return all that two states must share to go on alike."""
    waiting = {
        (name, cell.partition, cell.number): cell.documents.to_bytes()
        for name, group in state.groups.items()
        for cell in group.windows.pending
    }
    assert len(waiting) == sum(len(group.windows.pending) for group in state.groups.values()), "a cell waits twice"
    return {
        "decisions": state.decisions,
        "positions": dict(state.positions),
        "offset": state.offset,
        "groups": {name: group.to_bytes() for name, group in sorted(state.groups.items())},
        "waiting": waiting,
    }


def by_id(measured: Iterable[CollapseMeasured]) -> dict[str, CollapseMeasured]:
    """Return what readers keep: each measure once, the first that came."""
    found: dict[str, CollapseMeasured] = {}
    for each in measured:
        found.setdefault(each.event_id, each)
    return found


class World(NamedTuple):
    """A run and the sketcher that goes on writing for it."""

    run: Run
    sketcher: Sketcher


def admitted(*sources: str, seeds: bool = False) -> World:
    """Return a world where the baselines of these sources, and of the seeds, are complete; each call a fresh one."""
    before, written = _admitted(sources, seeds)
    run, sketcher = Run(before.state, before.log), Sketcher()
    run.measured = list(before.measured)
    sketcher.positions, sketcher._cells = dict(written.positions), dict(written._cells)
    return World(run, sketcher)


@cache
def _admitted(sources: tuple[str, ...], seeds: bool) -> World:
    rng = np.random.default_rng(5)
    run, sketcher = Run(), Sketcher()
    groups = [f"generate/text/{source}" for source in sources]
    for _ in range((MEMORY + ADMISSION) // (4 * CELL) // PARTITIONS + 1):
        for partition in range(PARTITIONS):
            run.take(sketcher.sketch(partition, {group: documents(rng, 4 * CELL) for group in groups}))
            if seeds:
                run.take(sketcher.sketch(partition, {SEEDS: documents(rng, 4 * CELL)}))
    assert not run.alarms()
    return World(run, sketcher)
