"""The books of the topic `mix`: what every batch and every epoch holds, without the samples themselves."""

from collections import Counter
from dataclasses import dataclass, field
from math import floor

from streams.events import SampleMixed


@dataclass(slots=True)
class OpenBatch:
    """A batch whose records have not all been read yet."""

    size: int
    alpha: float
    recipe_cap: float
    policy_version: int
    positions: set[int] = field(default_factory=set)
    synthetic: int = 0


@dataclass(slots=True)
class Epoch:
    """The real samples drawn in one epoch: one byte an offset in each partition of `seed`."""

    cut: tuple[int, ...]
    drawn: list[bytearray]


class Batches:
    """Takes every record of `mix` once; partitions may come in any order, records within one in theirs."""

    def __init__(self) -> None:
        self.open: dict[int, OpenBatch] = {}
        self.next_index = 0  # every batch below it is whole
        self.ahead: set[int] = set()  # whole batches above a gap
        self.epochs: dict[int, Epoch] = {}
        self.seeds: list[bytearray] = []
        self.faults: Counter[str] = Counter()
        self.used: dict[int, float] = {}  # policy version -> the largest alpha used under it
        self.real = self.synthetic = 0
        self.largest_share = 0.0
        self.latest: tuple[int, float] = (-1, 0.0)  # batch_index and alpha of the newest batch

    @property
    def whole(self) -> int:
        """Batches of which every record is there."""
        return self.next_index + len(self.ahead)

    def seed(self, partition: int, offset: int) -> None:
        """Note that a real sample lies in the pool."""
        _mark(self.seeds, partition, offset)

    def mixed(self, event: SampleMixed) -> None:
        """Note that a sample has its place in a batch."""
        index = event.batch_index
        if index < self.next_index or index in self.ahead:
            self.faults[f"batch {index} has a record more than its {event.batch_size}"] += 1
            return
        batch = self.open.setdefault(
            index, OpenBatch(event.batch_size, event.alpha, event.recipe_cap, event.policy_version)
        )
        if event.position in batch.positions or not 0 <= event.position < batch.size:
            self.faults[f"batch {index} has position {event.position} twice, or it is not below {batch.size}"] += 1
        batch.positions.add(event.position)
        if (event.batch_size, event.alpha, event.policy_version) != (batch.size, batch.alpha, batch.policy_version):
            self.faults[f"batch {index} has records that tell different sizes or caps"] += 1
        if event.synthetic:
            batch.synthetic += 1
            self.synthetic += 1
        else:
            self.real += 1
            self._draw(event)
        if len(batch.positions) == batch.size:
            self._close(index, batch)

    def _close(self, index: int, batch: OpenBatch) -> None:
        del self.open[index]
        self.ahead.add(index)
        while self.next_index in self.ahead:
            self.ahead.discard(self.next_index)
            self.next_index += 1
        allowed = floor(min(batch.alpha, batch.recipe_cap) * batch.size)
        if batch.synthetic > allowed:
            self.faults[f"batch {index} holds {batch.synthetic} synthetic samples where its cap allows {allowed}"] += 1
        version = batch.policy_version
        self.used[version] = max(self.used.get(version, 0.0), batch.alpha)
        self.largest_share = max(self.largest_share, batch.synthetic / batch.size)
        self.latest = max(self.latest, (index, batch.alpha))

    def _draw(self, event: SampleMixed) -> None:
        epoch = self.epochs.setdefault(event.epoch, Epoch(event.cut, []))
        if event.cut != epoch.cut:
            self.faults[f"epoch {event.epoch} has two cuts"] += 1
        if not _mark(epoch.drawn, event.source_partition, event.source_offset):
            place = f"{event.source_partition}/{event.source_offset}"
            self.faults[f"the real sample at seed {place} is twice in epoch {event.epoch}"] += 1

    def unfinished_law(self) -> list[str]:
        """Return what is wrong with the epochs and the numbering, now that all records are read."""
        wrong = [f"batch {index} is not whole" for index in sorted(self.open)]
        last = max([*self.ahead, *self.open, self.next_index - 1])
        missing = [i for i in range(self.next_index, last) if i not in self.ahead and i not in self.open]
        wrong += [f"batch {index} is missing" for index in missing]
        newest = max(self.epochs, default=0)
        for number, epoch in sorted(self.epochs.items()):
            if not _within(epoch, self.seeds, whole=number < newest):
                told = (
                    "does not hold every real sample of its pool"
                    if number < newest
                    else "holds what is not in its pool"
                )
                wrong.append(f"epoch {number} {told} exactly once")
        return wrong


def _mark(partitions: list[bytearray], partition: int, offset: int) -> bool:
    """Mark a place; false if it was marked."""
    while len(partitions) <= partition:
        partitions.append(bytearray())
    marks = partitions[partition]
    if offset >= len(marks):
        marks.extend(bytes(max(offset + 1, 2 * len(marks)) - len(marks)))
    fresh = not marks[offset]
    marks[offset] = 1
    return fresh


def _within(epoch: Epoch, seeds: list[bytearray], *, whole: bool) -> bool:
    """Tell whether the epoch drew only, or with `whole` all, of the pool below its cut."""
    for partition in range(max(len(epoch.cut), len(epoch.drawn))):
        cut = epoch.cut[partition] if partition < len(epoch.cut) else 0
        pool = int.from_bytes(_cut(seeds, partition, cut), "big")
        drawn_bytes = _cut(epoch.drawn, partition, cut)
        drawn = int.from_bytes(drawn_bytes, "big")
        beyond = any(epoch.drawn[partition][cut:]) if partition < len(epoch.drawn) else False
        if beyond or drawn & ~pool or (whole and drawn != pool):
            return False
    return True


def _cut(partitions: list[bytearray], partition: int, cut: int) -> bytes:
    marks = partitions[partition] if partition < len(partitions) else bytearray()
    return bytes(marks[:cut]).ljust(cut, b"\0")
