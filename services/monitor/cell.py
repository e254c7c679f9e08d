"""A cell as it comes from the log: 25 documents of one group in one partition, and where they lie."""

from collections.abc import Mapping
from typing import NamedTuple

from streams.errors import FatalError
from streams.events import BatchSketched
from streams.stats.documents import Documents, from_bytes


class Cell(NamedTuple):
    """Documents `number` * 25 and on of a group in a partition; they lie in [start, end) of the source's partition.

    `offset` is that of the sketch which brought the cell. The range may hold documents of other groups and cells too.
    """

    partition: int
    number: int
    documents: Documents
    start: int
    end: int
    offset: int


def cells_of(event: BatchSketched, offset: int, opened: Mapping[str, int]) -> dict[str, list[Cell]]:
    """Return the full cells of each group in a sketch, in order; `opened` tells where their unfinished cells began."""
    found: dict[str, list[Cell]] = {}
    for name in sorted(event.groups, key=lambda each: (each.rpartition("#")[0], int(each.rpartition("#")[2]))):
        group, _, number = name.rpartition("#")
        mine = found.setdefault(group, [])
        start = event.from_position if mine else opened.get(group, event.from_position)
        documents = from_bytes(event.groups[name])
        mine.append(Cell(event.source_partition, int(number), documents, start, event.to_position, offset))
    return found


def check_next(group: str, cell: Cell, expected: int | None) -> bool:
    """Tell whether a cell is the next of its partition; one that was taken is not, and a gap raises FatalError.

    The first of a partition may have any number: older sketches are gone after some days.
    """
    if expected is None:
        return True
    if cell.number > expected:
        raise FatalError(
            f"Group {group}: cell {cell.number} of partition {cell.partition} follows {expected - 1}, so sketches are "
            "missing; start the monitor again to read them from its state on"
        )
    return cell.number == expected
