"""What a check is, and the batch that it looks at."""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from services.artefact import said
from services.index.minhash import Shape
from services.index.texts import Entries, entries_of
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


class Columns(Protocol):
    """What somebody has found out about the samples of a batch, in their order."""

    def at(self, places: NDArray[np.int64]) -> Self:
        """Return what is known of some of them."""


C = TypeVar("C", bound=Columns)


class Batch:
    """Samples that are judged together, and what several checks need to know of them, worked out once."""

    def __init__(self, samples: Sequence[Sample], shape: Shape) -> None:
        self.samples = samples
        self._shape = shape
        self._known: dict[Callable[[Batch], Any], Any] = {}

    def known(self, by: Callable[["Batch"], C]) -> C:
        """Return what `by` finds out about the batch, which is asked once, however many checks want to know it."""
        if by not in self._known:
            self._known[by] = by(self)
        found: C = self._known[by]
        return found

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
    def said(self) -> Flat:
        """The hash of each word that a sample's author wrote: of a conversation the answers."""
        texts = [said(sample) for sample in self.samples]
        return self.hashes if texts == self.texts else hashed([words(text) for text in texts])

    @cached_property
    def entries(self) -> Entries:
        """What is to be remembered of each sample."""
        ids = [sample.sample_id for sample in self.samples]
        return entries_of(ids, [sample.content_hash for sample in self.samples], self.hashes, self._shape)

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
        part._known = {by: found.at(rows) for by, found in self._known.items()}
        return part
