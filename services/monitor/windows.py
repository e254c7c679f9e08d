"""Windows of one group: fixed ranges of cells in every partition, so that they do not depend on who came first."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from services.monitor.cell import Cell
from streams.stats.documents import Documents, join


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """Window k holds the cells [k * width, (k + 1) * width) of each of `partitions`; `next` is the cell to come."""

    partitions: int
    width: int
    next: Mapping[int, int] = field(default_factory=dict)
    window: int = 0
    pending: tuple[Cell, ...] = ()

    def take(self, cell: Cell) -> tuple["Windows", Documents | None]:
        """Take the next cell of its partition; return the window that it completes, in the order of partitions."""
        if cell.partition not in self.next and cell.number > self.window * self.width:
            self = self._from(cell.number)  # noqa: PLW0642 - what came before it is gone
        following = replace(self, next={**self.next, cell.partition: cell.number + 1}, pending=self._with(cell))
        end = (self.window + 1) * self.width
        if any(following.next.get(number, 0) < end for number in range(self.partitions)):
            return following, None
        pending = sorted(following.pending, key=lambda each: (each.partition, each.number))
        rest = tuple(each for each in pending if each.number >= end)
        whole = join([each.documents for each in pending if each.number < end])
        return replace(following, window=self.window + 1, pending=rest), whole

    def with_pending(self, cell: Cell) -> "Windows":
        """Return the windows with a cell that was taken before and still waits; any other changes nothing."""
        is_taken = cell.number < self.next.get(cell.partition, 0)
        waits = any((each.partition, each.number) == (cell.partition, cell.number) for each in self.pending)
        return replace(self, pending=self._with(cell)) if is_taken and not waits else self

    def _with(self, cell: Cell) -> tuple[Cell, ...]:
        return (*self.pending, cell) if cell.number >= self.window * self.width else self.pending

    def _from(self, number: int) -> "Windows":
        """Return the windows from the first on that begins with this cell or a later one."""
        window = -(-number // self.width)
        pending = tuple(each for each in self.pending if each.number >= window * self.width)
        return replace(self, window=window, pending=pending)

    def restarted(self) -> "Windows":
        """Return the windows from the first on of which no cell has come: those before can't be joined any more.

        Which cell comes next is open in every partition, for sketches on either side of the restart are passed over.
        """
        return replace(self._from(max(self.next.values(), default=0)), pending=(), next={})
