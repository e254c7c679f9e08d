"""Reads JSON Lines: one object a line; blank lines are no rows."""

import json
from collections.abc import Iterator
from typing import BinaryIO

from services.ingest.lines import Line, decoded, read_lines
from services.ingest.rows import BadLine, Item, Row


def read(raw: BinaryIO, file: str) -> Iterator[Item]:
    """Yield a row or a bad line for each line that is not blank."""
    for line in read_lines(raw, file):
        if isinstance(line, BadLine):
            yield line
        elif not line.raw.isspace():
            yield _row(line, file)


def _row(line: Line, file: str) -> Item:
    text = decoded(line, file)
    if isinstance(text, BadLine):
        return text
    try:
        values = json.loads(text)
    except json.JSONDecodeError as error:
        return BadLine(file, line.number, f"no JSON at column {error.colno}: {error.msg}", line.raw)
    except (ValueError, RecursionError) as error:  # a number of thousands of digits; nesting without end
        return BadLine(file, line.number, f"JSON that can't be read: {error}", line.raw)
    if not isinstance(values, dict):
        return BadLine(file, line.number, f"a JSON {type(values).__name__} where an object is needed", line.raw)
    return Row(file, line.number, values, line.raw)
