"""Sentence vectors of texts, kept in a local file so that a restart works none out again: a cache, never the truth.

By the hash of the text, so that a vector is right whatever has become of a pipeline. They are float16: 788 bytes a text
on disk, some 1,000 in memory.
"""

import os
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from services import meaning
from services.index.column import Column
from services.index.ids import IdArray, Ids, pack
from services.index.table import Rows
from streams.samples import digest

_ROW = np.dtype([("text", "<u8", (2,)), ("vector", "<f2", (meaning.DIMENSIONS,)), ("checksum", "<u4")])
_CHUNK = 64  # texts, some seconds of work: as much as a kill loses


class Vectors:
    """All vectors of one process, of which no other uses the file."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / f"{meaning.MODEL}.vectors"
        self._texts = Ids()
        self._vectors = Column(np.empty((0, meaning.DIMENSIONS), np.float16))
        folder.mkdir(parents=True, exist_ok=True)
        self._load()

    def rows(self, texts: Sequence[str]) -> Rows:
        """Return the row of each text; works out those that are not here. Takes some 35 ms for each of them."""
        ids = pack([digest(text).encode() for text in texts])
        new = self._texts.fresh(ids)
        for part in np.split(new, range(_CHUNK, len(new), _CHUNK)):
            self._write(ids[part], meaning.vectors([texts[place] for place in part.tolist()]))
        return self._texts.rows(ids)

    def at(self, rows: Rows) -> NDArray[np.float32]:
        """Return the vectors (n, DIMENSIONS) of some rows."""
        return self._vectors.values[rows].astype(np.float32)

    def _write(self, ids: IdArray, vectors: NDArray[np.float32]) -> None:
        rows = np.zeros(len(ids), _ROW)
        rows["text"], rows["vector"] = ids, vectors
        rows["checksum"] = _checksums(rows)
        with self._path.open("ab") as file:
            file.write(rows.tobytes())
        self._take(rows)

    def _load(self) -> None:
        """Read the file back up to the first row that is not whole, and cut off the rest."""
        if not self._path.exists():
            return
        size = self._path.stat().st_size
        rows = np.fromfile(self._path, _ROW, size // _ROW.itemsize)
        wrong = np.flatnonzero(rows["checksum"] != _checksums(rows))
        whole = int(wrong[0]) if len(wrong) else len(rows)
        os.truncate(self._path, whole * _ROW.itemsize)
        self._take(rows[:whole])

    def _take(self, rows: NDArray[np.void]) -> None:
        new = self._texts.add(np.ascontiguousarray(rows["text"]))
        self._vectors.extend(rows["vector"][new])


def _checksums(rows: NDArray[np.void]) -> NDArray[np.uint32]:
    end = _ROW.itemsize - _ROW["checksum"].itemsize
    data = rows.tobytes()
    starts = range(0, len(data), _ROW.itemsize)
    return np.array([zlib.crc32(data[start : start + end]) for start in starts], np.uint32)
