"""What a local model learns from besides the seeds: the mix so far, or its own accepted output.

The generation of a training set is the largest in it: computed from the samples, never declared.
"""

from collections import deque
from heapq import heappush, heappushpop
from typing import NamedTuple, Protocol

from streams.samples import Sample

MOST_DOCUMENTS = 20_000
FIRST_DOCUMENTS = 1_000
RECENT_DOCUMENTS = 2_000


class Training(NamedTuple):
    """Documents to learn from, and the largest generation among them."""

    texts: list[str]
    generation: int


class Corpus(Protocol):
    """Collects samples until it is time to train again."""

    def add(self, sample: Sample) -> None:
        """Take a sample in."""

    def due(self) -> bool:
        """Tell whether there is enough new to train on."""

    def take(self) -> Training:
        """Return the training set; it is due again when there is enough new after it."""


class MixCorpus:
    """A prefix of topic mix, or an even draw of it by content hash; due when the prefix has doubled."""

    def __init__(self, most: int = MOST_DOCUMENTS, first: int = FIRST_DOCUMENTS) -> None:
        self._most = most
        self._next = first
        self._seen = 0
        self._generation = 0
        self._kept: list[tuple[int, int, str]] = []

    def add(self, sample: Sample) -> None:
        """Take the next sample of the mix in."""
        self._seen += 1
        self._generation = max(self._generation, sample.lineage.generation)
        entry = (-int(sample.content_hash, 16), self._seen, sample.turns[-1].text)
        if len(self._kept) < self._most:
            heappush(self._kept, entry)
        else:
            heappushpop(self._kept, entry)

    def due(self) -> bool:
        """Tell whether the prefix has doubled since the last training."""
        return self._seen >= self._next

    def take(self) -> Training:
        """Return the prefix."""
        self._next = 2 * self._seen
        return Training([text for _, _, text in sorted(self._kept, reverse=True)], self._generation)


class OwnCorpus:
    """The last accepted samples of the model's own source; due when all of them are new, and `first` have been."""

    def __init__(self, size: int = RECENT_DOCUMENTS, first: int = 0) -> None:
        self._recent: deque[tuple[int, str]] = deque(maxlen=size)
        self._size, self._first = size, first
        self._seen = self._fresh = 0

    def add(self, sample: Sample) -> None:
        """Take the next accepted sample in."""
        self._seen += 1
        self._fresh += 1
        self._recent.append((sample.lineage.generation, sample.turns[-1].text))

    def due(self) -> bool:
        """Tell whether there are as many new ones as fit."""
        return self._fresh >= self._size and self._seen >= self._first

    def take(self) -> Training:
        """Return the last samples."""
        self._fresh = 0
        return Training([text for _, text in self._recent], max(generation for generation, _ in self._recent))
