"""What a check is, and the batch that it looks at."""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from services.verify.ids import IdArray, pack
from services.verify.minhash import Fingerprints, Shape, fingerprints
from streams.samples import Sample, Verdict
from streams.words import Flat, hashed, text_of, words

Judge = Callable[[int], Verdict]


class Check(Protocol):
    """One check, named as in the recipe."""

    @property
    def name(self) -> str:
        """The check's name, which is also the reason of a rejection."""

    def over(self, batch: "Batch") -> Judge:
        """Look at a whole batch, and return what judges its samples: by place, in rising order, some left out.

        Changes no state, for the batch may be dropped or looked at again.
        """


class Entries(NamedTuple):
    """What is remembered of texts: ids, content hashes and fingerprints, one each per text."""

    ids: IdArray
    contents: NDArray[np.uint32]
    prints: Fingerprints

    def select(self, places: NDArray[np.int64]) -> "Entries":
        """Return the entries of some of the texts."""
        return Entries(self.ids[places], self.contents[places], self.prints.select(places))


class Batch:
    """Samples that are judged together; `kept` are the places of those that were not rejected, as it comes out."""

    def __init__(self, samples: Sequence[Sample], shape: Shape) -> None:
        self.samples = samples
        self.kept: list[int] = []
        self._shape = shape

    @cached_property
    def words(self) -> list[list[str]]:
        """The words of each sample."""
        return [words(text_of(sample)) for sample in self.samples]

    @cached_property
    def hashes(self) -> Flat:
        """The hash of each word."""
        return hashed(self.words)

    @cached_property
    def entries(self) -> Entries:
        """What is to be remembered of each sample."""
        return Entries(
            pack([sample.sample_id.encode() for sample in self.samples]),
            pack([sample.content_hash.encode() for sample in self.samples])[:, 0].astype(np.uint32),
            fingerprints(self.hashes, self._shape),
        )
