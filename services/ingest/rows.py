"""What readers yield: rows, and lines that could not be read, as data, so that one bad line never ends a file."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, BinaryIO, NamedTuple


class Row(NamedTuple):
    """One row of a file with its columns; without `raw` its original bytes are its values as JSON."""

    file: str
    line: int
    values: Mapping[str, Any]
    raw: bytes | None = None


class BadLine(NamedTuple):
    """One line that is no sample, with the reason and the original bytes."""

    file: str
    line: int
    reason: str
    value: bytes


Item = Row | BadLine
Reader = Callable[[BinaryIO, str], Iterator[Item]]


def rejected(row: Row, reason: str) -> BadLine:
    """Return the row as a bad line."""
    raw = json.dumps(dict(row.values), default=str).encode() if row.raw is None else row.raw
    return BadLine(row.file, row.line, reason, raw)
