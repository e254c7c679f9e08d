"""Accepted samples that wait for a batch: per source and partition in the order of the log, ready or held.

Draws are drafted first and settled after the commit, so an aborted transaction leaves no trace here.
"""

from collections.abc import Iterable, Mapping
from heapq import heapify, heappop, heapreplace
from typing import NamedTuple

from services.mix.cursor import Cursor, from_part
from services.mix.line import Line, Place, line_of
from services.mix.share import drawable
from streams.parts import DrawCursor, SourceRange, covered

FLOOR = ""  # the cursor of this name says below which offset of a partition nothing is undrawn, of any source


class Fresh(NamedTuple):
    """An accepted sample, undrawn; `timestamp` (UTC milliseconds) tells how long it waits.

    `planned` is the version of the policy under which its call was planned.
    """

    source: str
    family: str
    partition: int
    offset: int
    timestamp: int
    planned: int


class _Queue:
    """One source in one partition."""

    def __init__(self, first: Fresh, cursor: Cursor) -> None:
        self.source, self.family, self.partition = first.source, first.family, first.partition
        self.cursor = cursor
        self.ready, self.held = Line(), Line()

    def at(self, place: int) -> Fresh:
        """Return the sample at a place of the ready line."""
        return Fresh(self.source, self.family, self.partition, *self.ready[place])

    def covered(self, ranges: tuple[SourceRange, ...], place: Place) -> bool:
        """Tell whether one of the ranges has the sample at a place."""
        return covered(ranges, self.source, self.partition, place.offset, place.planned)


Queues = dict[tuple[str, int], _Queue]


class Waiting:
    """All undrawn samples; `cursor` is what the last batch carried."""

    def __init__(self, cursor: Iterable[DrawCursor] = ()) -> None:
        parts = list(cursor)
        self._cursors = {(part.source, part.partition): from_part(part) for part in parts}
        self.floors = {part.partition: part.next_offset for part in parts if part.source == FLOOR}
        self.queues: Queues = {}
        self._held: tuple[SourceRange, ...] = ()
        self._dropped: tuple[SourceRange, ...] = ()

    def add(self, fresh: Fresh) -> None:
        """Take an accepted sample in, unless it is drawn or dropped. Idempotent."""
        key = (fresh.source, fresh.partition)
        queue = self.queues.get(key)
        if queue is None:
            queue = self.queues[key] = _Queue(fresh, self._cursors.pop(key, Cursor()))
        newest = max((line[-1].offset for line in (queue.ready, queue.held) if line), default=-1)
        place = Place(fresh.offset, fresh.timestamp, fresh.planned)
        if place.offset <= newest or queue.cursor.is_drawn(place.offset) or queue.covered(self._dropped, place):
            return
        (queue.held if queue.covered(self._held, place) else queue.ready).append(place)

    def hold(self, held: tuple[SourceRange, ...], dropped: tuple[SourceRange, ...]) -> None:
        """Set which ranges are not drawn until released, and which never."""
        if (held, dropped) == (self._held, self._dropped):
            return
        self._held, self._dropped = held, dropped
        for queue in self.queues.values():
            both = sorted([*queue.ready, *queue.held])
            kept = [one for one in both if not queue.covered(dropped, one)]
            queue.ready = line_of(one for one in kept if not queue.covered(held, one))
            queue.held = line_of(one for one in kept if queue.covered(held, one))

    def draft(self) -> "Draft":
        """Begin to draw."""
        return Draft(self.queues, self._cursors)

    def settle(self, draft: "Draft") -> None:
        """Take out what a committed draft has drawn."""
        for key, taken in draft.taken.items():
            queue = self.queues[key]
            queue.ready.drop(taken)
            queue.cursor = draft.cursors[key]

    def counts(self) -> tuple[int, int]:
        """Return how many samples are ready and how many are held."""
        ready = sum(len(queue.ready) for queue in self.queues.values())
        return ready, sum(len(queue.held) for queue in self.queues.values())


class Draft:
    """Draws that are not settled yet."""

    def __init__(self, queues: Queues, idle: Mapping[tuple[str, int], Cursor]) -> None:
        self._queues = queues
        self._idle = idle
        self.taken: dict[tuple[str, int], int] = {}
        self.cursors: dict[tuple[str, int], Cursor] = {}

    def oldest(self) -> int | None:
        """Return the timestamp of the sample that waits longest."""
        return min((timestamp for timestamp, _ in self._heads()), default=None)

    def drawable(self, target: int, max_family_share: float) -> tuple[int, int]:
        """Return how many of `target` samples can be drawn, and the most from one family."""
        waiting: dict[str, int] = {}
        for key, queue in self._queues.items():
            waiting[queue.family] = waiting.get(queue.family, 0) + len(queue.ready) - self.taken.get(key, 0)
        return drawable(waiting, target, max_family_share)

    def take(self, total: int, most_of_a_family: int) -> list[Fresh]:
        """Draw the oldest, at most so many of a family; `drawable` has said that there are enough."""
        heads = self._heads()
        heapify(heads)
        families: dict[str, int] = {}
        drawn: list[Fresh] = []
        while len(drawn) < total:
            _, key = heads[0]
            queue = self._queues[key]
            if families.get(queue.family, 0) == most_of_a_family:
                heappop(heads)
                continue
            drawn.append(self._draw(key, queue))
            families[queue.family] = families.get(queue.family, 0) + 1
            if self.taken[key] < len(queue.ready):
                heapreplace(heads, (queue.ready[self.taken[key]].timestamp, key))
            else:
                heappop(heads)
        return drawn

    def cursor(self, read_to: Mapping[int, int]) -> tuple[DrawCursor, ...]:
        """Return all that a restart needs; `read_to` says up to where each partition has been taken in."""
        floors = dict(read_to)
        for key, queue in self._queues.items():
            for line, place in ((queue.ready, self.taken.get(key, 0)), (queue.held, 0)):
                if place < len(line):
                    floors[queue.partition] = min(floors[queue.partition], line[place][0])
        cursors = {**self._idle, **{key: self._cursor(key, queue) for key, queue in self._queues.items()}}
        drawn = {key: c for key, c in cursors.items() if key[0] != FLOOR and c.next_offset > floors.get(key[1], 0)}
        parts = [Cursor(floor).to_part(FLOOR, partition) for partition, floor in sorted(floors.items())]
        return (*parts, *(cursor.to_part(*key) for key, cursor in sorted(drawn.items(), key=lambda item: item[0])))

    def _heads(self) -> list[tuple[int, tuple[str, int]]]:
        """Return the timestamp of the first undrawn sample of each queue that has one."""
        heads = ((key, queue.ready, self.taken.get(key, 0)) for key, queue in self._queues.items())
        return [(line[place].timestamp, key) for key, line, place in heads if place < len(line)]

    def _cursor(self, key: tuple[str, int], queue: _Queue) -> Cursor:
        return self.cursors.get(key, queue.cursor)

    def _draw(self, key: tuple[str, int], queue: _Queue) -> Fresh:
        place = self.taken.get(key, 0)
        fresh = queue.at(place)
        self.taken[key] = place + 1
        cursor = self._cursor(key, queue).draw(fresh.offset)
        if cursor.holes:
            cursor = cursor.pruned([*(one.offset for one in queue.held), *_below(queue.ready, place + 1, cursor)])
        self.cursors[key] = cursor
        return fresh


def _below(ready: Line, place: int, cursor: Cursor) -> list[int]:
    offsets: list[int] = []
    while place < len(ready) and ready[place].offset < cursor.next_offset:
        offsets.append(ready[place].offset)
        place += 1
    return offsets
