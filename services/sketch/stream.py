"""One group in one partition: what it said lately, and the documents of its unfinished cell.

A stream is never changed; taking documents in returns the next one, so an aborted batch leaves no trace.
"""

from copy import copy
from dataclasses import dataclass, replace

import numpy as np

from streams.stats.documents import Documents, flat, from_columns, join
from streams.stats.novelty import LENGTHS, Novelty
from streams.stats.sequential import CELL
from streams.stats.statistic import pack, unpack

_COUNTS = ("seen", "left_out")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """`novelty` knows the last documents, as many as it remembers; `open` are the last seen % 25 of all.

    `seen` counts the documents that were taken in, `left_out` those that had too few words or lost their cell.
    """

    novelty: Novelty
    seen: int = 0
    left_out: int = 0
    open: Documents | None = None
    artefact_hash: str = ""

    def take(self, documents: Documents, left_out: int, artefact_hash: str) -> tuple["Stream", list[Documents]]:
        """Return the next stream and the cells that are now full; novelty is scored here, for the order matters."""
        if self.open is not None and self.artefact_hash != artefact_hash:
            return self.without_open().take(documents, left_out, artefact_hash)
        novelty, scores = copy(self.novelty), documents.scores.copy()
        scores[:, : len(LENGTHS)] = novelty.score(documents.flat())
        scored = documents._replace(scores=scores)
        waiting = join([self.open, scored]) if self.open is not None else scored
        full = len(waiting.keys) // CELL * CELL
        rest = waiting.part(full, len(waiting.keys))
        following = Stream(
            novelty=novelty,
            seen=self.seen + len(documents.keys),
            left_out=self.left_out + left_out,
            open=rest if len(rest.keys) else None,
            artefact_hash=artefact_hash,
        )
        return following, [waiting.part(start, start + CELL) for start in range(0, full, CELL)]

    def place(self, artefact_hash: str) -> int:
        """Return the place in its cell that the next document gets from this artefact."""
        return self.seen % CELL if self.artefact_hash == artefact_hash else 0

    def without_open(self) -> "Stream":
        """Return the stream without its unfinished cell: another artefact's numbers can't be joined with these."""
        lost = len(self.open.keys) if self.open is not None else 0
        return replace(self, seen=self.seen - lost, left_out=self.left_out + lost, open=None)

    def to_bytes(self) -> bytes:
        """Return all of it but what novelty knows: those words lie in the cells before."""
        counts = {field: np.array(getattr(self, field)) for field in _COUNTS}
        return pack(counts if self.open is None else {**counts, **self.open.columns()})

    def continued(self, cells: list[Documents], data: bytes, artefact_hash: str) -> "Stream":
        """Return the stream that `take` returned, from the cells that it filled and its bytes."""
        columns = unpack(data)
        seen, left_out = (int(columns.pop(field)) for field in _COUNTS)
        waiting = from_columns(columns) if columns else None
        came = [each.words for each in [*cells, *([] if waiting is None else [waiting])]]
        known = len(self.open.keys) if self.open is not None else 0
        count = sum(map(len, came)) - known
        novelty = copy(self.novelty)
        novelty.seen = max(novelty.seen, seen - count)  # more than it knows of, where older sketches are gone
        for words in came:  # not joined: another artefact may count other words
            novelty.score(flat(words[known:]))
            known = 0  # all that was open lies in the first
        return Stream(novelty=novelty, seen=seen, left_out=left_out, open=waiting, artefact_hash=artefact_hash)
