"""What a check is, and the batch that it looks at."""

from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from services.verify.ids import IdArray, pack
from services.verify.minhash import Fingerprints, Shape, fingerprints
from streams.samples import Sample, Verdict
from streams.words import Flat, hashed, some, text_of, words


class Check(Protocol):
    """One check, named as in its verdicts and, where it fails a sample, in the reasons of the rejection."""

    @property
    def name(self) -> str:
        """The check's name."""

    def over(self, batch: "Batch") -> Sequence[Verdict]:
        """Judge all samples of a batch, one verdict each, in their order.

        Changes no state, for the batch may be dropped or looked at again. May block where it asks a process or a model.
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
    """Samples that are judged together, and what several checks need to know of them, worked out once."""

    def __init__(self, samples: Sequence[Sample], shape: Shape) -> None:
        self.samples = samples
        self._shape = shape

    @cached_property
    def texts(self) -> list[str]:
        """The text of each sample that is compared."""
        return [text_of(sample) for sample in self.samples]

    @cached_property
    def lasts(self) -> list[str]:
        """The last turn of each sample, what a model has said; empty where there are no turns."""
        return [sample.turns[-1].text if sample.turns else "" for sample in self.samples]

    @cached_property
    def words(self) -> list[list[str]]:
        """The words of each sample."""
        return [words(text) for text in self.texts]

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

    def select(self, places: Sequence[int]) -> "Batch":
        """Return the batch of some of the samples, by rising place, with what is known of them already."""
        if len(places) == len(self.samples):
            return self
        part = Batch([self.samples[place] for place in places], self._shape)
        for name in ("texts", "lasts", "words"):
            if name in self.__dict__:
                part.__dict__[name] = [self.__dict__[name][place] for place in places]
        rows = np.array(places, np.int64)
        if "hashes" in self.__dict__:
            part.__dict__["hashes"] = some(self.hashes, rows)
        if "entries" in self.__dict__:
            part.__dict__["entries"] = self.entries.select(rows)
        return part
