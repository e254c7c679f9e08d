"""Seeds and accepted texts by what they mean, and how near to them human documents lie that nobody has trained on.

Some 1,300 bytes a text with its vector. The nearest one is found by comparing with all, a batch at once: 0.1 ms a text
beside 10,000, 1 ms beside 100,000, and 60 ms for one alone.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.artefact import said
from services.index.column import Column
from services.index.ids import IdArray, Ids
from services.index.table import Rows
from services.verify.conformal import level
from services.verify.vectors import Vectors
from streams.samples import Sample, beginning

_BLOCK = 8_192  # texts that are compared at once
_SHOWN = 120  # characters
_DIGITS = 4  # of a cosine: float16 tells no more


class Near(NamedTuple):
    """A known text: cosine of its vector, its id and its beginning."""

    similarity: float
    sample_id: str
    text: str


class Meanings:
    """A fold over seed and verify; `human` are documents of the reference's part `checks`."""

    def __init__(self, vectors: Vectors, human: Sequence[Sample]) -> None:
        self._vectors = vectors
        self._ids = Ids()
        self._rows = Column(np.empty(0, np.int64))
        self._beginnings: list[str] = []
        self._human = self._of(human)
        self._nearest = np.full(len(human), -1.0)

    def add(self, ids: IdArray, samples: Sequence[Sample]) -> None:
        """Take texts in. Idempotent by id; works out the vectors of those that have none yet."""
        new = self._ids.fresh(ids)
        some = [samples[place] for place in new.tolist()]
        rows = self._vectors.rows([said(sample) for sample in some])
        self._ids.add(ids[new])
        self._rows.extend(rows)
        self._beginnings += map(_shown, some)
        for start in range(0, len(rows), _BLOCK):
            found = _cosines(self._human, self._vectors.at(rows[start : start + _BLOCK]))
            self._nearest = np.maximum(self._nearest, found.max(axis=1))

    def compared(self, samples: Sequence[Sample], rate: float) -> tuple[list[Near | None], float]:
        """Return the text nearest to each sample, and the similarity that human documents exceed at a `rate` at most.

        Near are texts that are here, and those before it among the samples; None if there are none. Human documents are
        held against all of both, so what is new exceeds the limit no more often than they.
        """
        vectors = self._of(samples)
        best, rows = self._best(vectors)
        among = np.where(np.tri(len(samples), k=-1, dtype=np.bool_), _cosines(vectors, vectors), -2.0)
        found: list[Near | None] = []
        for place, (similarity, row) in enumerate(zip(best.tolist(), rows.tolist(), strict=True)):
            other = int(among[place].argmax())
            if among[place, other] > similarity:
                found.append(Near(float(among[place, other]), samples[other].sample_id, _shown(samples[other])))
            else:
                found.append(Near(similarity, self._ids[row], self._beginnings[row]) if len(self._ids) else None)
        nearest = np.maximum(self._nearest, _cosines(self._human, vectors).max(axis=1))
        return found, -level(-nearest, rate)

    def _of(self, samples: Sequence[Sample]) -> NDArray[np.float32]:
        return self._vectors.at(self._vectors.rows([said(sample) for sample in samples]))

    def _best(self, vectors: NDArray[np.float32]) -> tuple[NDArray[np.float64], Rows]:
        best, rows = np.full(len(vectors), -1.0), np.zeros(len(vectors), np.int64)
        for start, block in self._blocks():
            cosines = _cosines(vectors, block)
            place = cosines.argmax(axis=1)
            highest = cosines[np.arange(len(place)), place]
            better = highest > best
            best[better], rows[better] = highest[better], start + place[better]
        return best, rows

    def _blocks(self) -> Iterator[tuple[int, NDArray[np.float32]]]:
        for start in range(0, len(self._rows), _BLOCK):
            yield start, self._vectors.at(self._rows.values[start : start + _BLOCK])


def _shown(sample: Sample) -> str:
    return beginning(sample, _SHOWN)


def _cosines(some: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.minimum(np.round(some @ others.T, _DIGITS), 1.0)
