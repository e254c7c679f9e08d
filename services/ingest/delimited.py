"""Reads CSV (RFC 4180, comma or tab, a header): a quoted field may hold line ends.

After a broken row reading goes on at the next line, so an unclosed quote costs one line and not the file.
"""

import csv
from collections import deque
from collections.abc import Iterator
from functools import partial
from typing import BinaryIO

from services.ingest.lines import Line, read_lines
from services.ingest.rows import BadLine, Item, Reader, Row

_LONGEST_FIELD = 200_000


def reader(separator: str) -> Reader:
    """Return the reader for files with this separator."""
    return partial(_read, separator=separator)


def header(raw: BinaryIO, file: str, separator: str) -> list[str]:
    """Return the column names; empty if the file has none that can be read."""
    source = _Lines(read_lines(raw, file))
    try:
        return next(csv.reader(source, delimiter=separator, strict=True), [])
    except csv.Error:
        return []


def _read(raw: BinaryIO, file: str, separator: str) -> Iterator[Item]:
    csv.field_size_limit(_LONGEST_FIELD)
    source = _Lines(read_lines(raw, file))
    names: list[str] | None = None
    rows = csv.reader(source, delimiter=separator, strict=True)
    while True:
        source.forget()
        try:
            fields = next(rows, None)
        except csv.Error as error:
            yield source.give_back(file, f"no CSV row: {error}")
            continue
        yield from source.bad()
        if fields is None:
            return
        if not fields:
            continue
        if names is None:
            names = fields
        elif len(fields) != len(names):
            yield source.give_back(file, f"{len(fields)} fields where the header has {len(names)}")
        else:
            yield Row(file, source.taken[0].number, dict(zip(names, fields, strict=True)), source.original())


class _Lines(Iterator[str]):
    """Feeds the CSV parser and remembers what it took; bytes that are not UTF-8 pass as surrogates for now."""

    def __init__(self, lines: Iterator[Line | BadLine]) -> None:
        self._lines = lines
        self._again: deque[Line] = deque()
        self._bad: list[BadLine] = []
        self.taken: list[Line] = []

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else self._fresh()
        self.taken.append(line)
        return line.raw.decode(errors="surrogateescape")

    def forget(self) -> None:
        """Begin a new row."""
        self.taken = []

    def original(self) -> bytes:
        """Return the bytes of the row."""
        return b"".join(line.raw for line in self.taken)

    def bad(self) -> list[BadLine]:
        """Return the lines that could not be read at all, once."""
        bad, self._bad = self._bad, []
        return bad

    def give_back(self, file: str, reason: str) -> BadLine:
        """Return the row's first line as bad; its other lines will be read again."""
        self._again.extendleft(reversed(self.taken[1:]))
        return BadLine(file, self.taken[0].number, reason, self.taken[0].raw)

    def _fresh(self) -> Line:
        for line in self._lines:
            if isinstance(line, Line):
                return line
            self._bad.append(line)
        raise StopIteration
