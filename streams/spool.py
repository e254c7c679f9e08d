"""A topic's records in local append-only files, for reading them in any order: a cache, never the truth.

16 bytes a record in memory (offset and place in the file); thrown away whenever it does not match the log.
"""

import fcntl
import os
import tempfile
from array import array
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from pathlib import Path

from streams.broker import Record, TopicPartition

_PAIR = 16


class Spool:
    """Every record of one topic below the point that was folded.

    `folder` belongs to one process at a time: who finds it in use, by a frozen predecessor say, takes one beside it.
    """

    def __init__(self, folder: Path, topic: str, partitions: int) -> None:
        self._lock, self._folder = _claim(folder)
        self._topic = topic
        self.partitions = partitions
        self._open()

    def starts(self, bounds: Mapping[TopicPartition, tuple[int, int]]) -> dict[TopicPartition, int]:
        """Return where a fold has to start: at the last spooled record, so that `append` can compare it.

        A log that ends before it is another log: then everything is forgotten.
        """
        ends = {part.partition: end for part, (_, end) in bounds.items() if part.topic == self._topic}
        if any(part.last >= ends.get(number, 0) for number, part in enumerate(self._parts)):
            self.clear()
        return {TopicPartition(self._topic, n): part.last for n, part in enumerate(self._parts) if part.last >= 0}

    def append(self, records: Sequence[Record]) -> bool:
        """Take records in order; repeats are skipped. False: what was spooled is from another log, and is now gone."""
        for number in {record.partition for record in records}:
            mine = [record for record in records if record.partition == number]
            if not self._parts[number].append(mine):
                self.clear()
                return False
        return True

    def count(self, partition: int, below: int | None = None) -> int:
        """Return how many records of a partition are held, or how many with an offset below `below`."""
        offsets = self._parts[partition].offsets
        return len(offsets) if below is None else bisect_left(offsets, below)

    def offset(self, partition: int, number: int) -> int:
        """Return the offset of the `number`th record of a partition."""
        return self._parts[partition].offsets[number]

    def value(self, partition: int, number: int) -> bytes:
        """Return the bytes of the `number`th record of a partition."""
        return self._parts[partition].value(number)

    def clear(self) -> None:
        """Forget everything."""
        self._close_parts()
        for file in [*self._folder.glob("*.values"), *self._folder.glob("*.index")]:
            file.unlink()
        self._open()

    def close(self) -> None:
        """Close the files and leave the folder to others."""
        self._close_parts()
        os.close(self._lock)

    def _close_parts(self) -> None:
        for part in self._parts:
            part.close()

    def _open(self) -> None:
        self._parts = [_Part(self._folder / str(number)) for number in range(self.partitions)]


class _Part:
    """One partition: a file of values and a file of (offset, end of the value) pairs."""

    def __init__(self, path: Path) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND
        self._values = os.open(path.with_suffix(".values"), flags, 0o600)
        self._index = os.open(path.with_suffix(".index"), flags, 0o600)
        self.offsets, self._ends = array("q"), array("q")
        self._load()

    @property
    def last(self) -> int:
        return self.offsets[-1] if self.offsets else -1

    def append(self, records: Sequence[Record]) -> bool:
        if records and records[0].offset <= self.last and not self._knows(records[0]):
            return False
        fresh = [record for record in records if record.offset > self.last]
        end = self._ends[-1] if self._ends else 0
        pairs = array("q")
        for record in fresh:
            end += len(record.value)
            pairs.extend((record.offset, end))
        _write(
            self._values, b"".join(record.value for record in fresh)
        )  # values first: an index never points past them
        _write(self._index, pairs.tobytes())
        self.offsets.extend(pairs[::2])
        self._ends.extend(pairs[1::2])
        return True

    def value(self, number: int) -> bytes:
        start = self._ends[number - 1] if number else 0
        return os.pread(self._values, self._ends[number] - start, start)

    def close(self) -> None:
        os.close(self._values)
        os.close(self._index)

    def _knows(self, record: Record) -> bool:
        number = bisect_left(self.offsets, record.offset)
        return self.offsets[number] == record.offset and self.value(number) == record.value

    def _load(self) -> None:
        """Read the index back; what a crash left half written is cut off."""
        pairs = array("q")
        pairs.frombytes(os.pread(self._index, os.fstat(self._index).st_size // _PAIR * _PAIR, 0))
        size = os.fstat(self._values).st_size
        whole = sum(1 for end in pairs[1::2] if end <= size)
        self.offsets, self._ends = pairs[: 2 * whole : 2], pairs[1 : 2 * whole : 2]
        os.ftruncate(self._index, whole * _PAIR)
        os.ftruncate(self._values, self._ends[-1] if whole else 0)


def _claim(folder: Path) -> tuple[int, Path]:
    """Take a folder for this process; return the lock and the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return _claim(Path(tempfile.mkdtemp(prefix=f"{folder.name}-", dir=folder.parent)))
    return lock, folder


def _write(file: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]
