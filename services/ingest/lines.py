"""Lines of a file that may be gzipped: of any bytes, bounded in memory, and never an exception for its content."""

import gzip
import zlib
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple, cast

from services.ingest.rows import BadLine

LONGEST = 2_000_000
KEPT = 200_000
_GZIP = b"\x1f\x8b"
_BOM = b"\xef\xbb\xbf"


class Line(NamedTuple):
    """One line with its line end, and its number from 1."""

    number: int
    raw: bytes


def read_lines(raw: BinaryIO, file: str) -> Iterator[Line | BadLine]:
    """Yield every line; one that is too long is a bad line with its first bytes, and so is a broken gzip stream."""
    stream = unpacked(raw)
    number = 0
    try:
        while data := stream.readline(LONGEST):
            number += 1
            if number == 1:
                data = data.removeprefix(_BOM)
            if len(data) == LONGEST and not data.endswith(b"\n"):
                size = LONGEST + _skip(stream)
                yield BadLine(
                    file, number, f"{size} bytes long, above {LONGEST}; its first {KEPT} are kept", data[:KEPT]
                )
            else:
                yield Line(number, data)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        yield BadLine(file, number + 1, f"the gzip stream breaks off here ({error})", b"")


def unpacked(raw: BinaryIO) -> BinaryIO:
    """Return the content of a file: what was gzipped is read as if it were not."""
    packed = raw.read(2) == _GZIP
    raw.seek(0)
    return cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if packed else raw


def decoded(line: Line, file: str) -> str | BadLine:
    """Return the line as text, or as a bad line if it is not UTF-8."""
    try:
        return line.raw.decode()
    except UnicodeDecodeError as error:
        return BadLine(file, line.number, f"no UTF-8 at byte {error.start + 1}", line.raw)


def _skip(stream: BinaryIO) -> int:
    """Read to the end of the line and return the bytes skipped."""
    size = 0
    while data := stream.readline(LONGEST):
        size += len(data)
        if data.endswith(b"\n"):
            break
    return size
