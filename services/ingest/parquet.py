"""Reads Parquet by row groups, a thousand rows at a time, so that memory does not grow with the file."""

from collections.abc import Iterator
from functools import partial
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from services.ingest.errors import IngestError
from services.ingest.rows import BadLine, Item, Reader, Row

_ROWS = 1_000


def reader(columns: frozenset[str]) -> Reader:
    """Return the reader for files of which only these columns matter."""
    return partial(_read, columns=columns)


def header(raw: BinaryIO, file: str) -> list[str]:
    """Return the column names; raises IngestError for what is no Parquet file."""
    return list(_open(raw, file).schema_arrow.names)


def _read(raw: BinaryIO, file: str, columns: frozenset[str]) -> Iterator[Item]:
    parquet = _open(raw, file)
    wanted = [name for name in parquet.schema_arrow.names if name in columns]
    first = 1
    for group in range(parquet.num_row_groups):
        rows = parquet.metadata.row_group(group).num_rows
        yield from _group(parquet, group, wanted, file, first)
        first += rows


def _group(parquet: pq.ParquetFile, group: int, wanted: list[str], file: str, number: int) -> Iterator[Item]:
    try:
        for batch in parquet.iter_batches(_ROWS, row_groups=[group], columns=wanted):
            yield from _rows(batch, file, number)
            number += batch.num_rows
    except (pa.ArrowException, OSError) as error:
        yield BadLine(file, number, f"row group {group} can't be read from this row on: {error}", b"")


def _rows(batch: pa.RecordBatch, file: str, number: int) -> Iterator[Item]:
    try:
        found: list[Item] = [Row(file, number + i, values) for i, values in enumerate(batch.to_pylist())]
    except UnicodeDecodeError as error:
        if batch.num_rows > 1:
            found = [item for i in range(batch.num_rows) for item in _rows(batch.slice(i, 1), file, number + i)]
        else:
            found = [BadLine(file, number, f"no UTF-8 at byte {error.start + 1}", error.object)]
    yield from found


def _open(raw: BinaryIO, file: str) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(raw)
    except (pa.ArrowException, OSError) as error:
        raise IngestError(f"{file} is no Parquet file; give its format as `seeds.reader`, or mend the file") from error
