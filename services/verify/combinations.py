"""How often human documents have a label, and have it with a task or a tag."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from services.verify.conformal import Tails, Values
from streams.samples import Sample

Context = tuple[str, str]


class Rarity(NamedTuple):
    """How a label's rarest combination stands: human documents that have it, and would if both were independent.

    `context` is its name and value, None for a label that no human document has.
    """

    seen: int
    expected: float
    context: Context | None

    @property
    def ratio(self) -> float:
        """Seen to expected, each with one document more, so that what is rare in itself is no surprise."""
        return (self.seen + 1) / (self.expected + 1) if self.context else 0.0


class Combinations:
    """Counts of human documents; that none has a label is a label too."""

    def __init__(self, samples: Sequence[Sample]) -> None:
        self._size = len(samples)
        self._labels = Counter(sample.label for sample in samples)
        self._contexts = Counter(context for sample in samples for context in _contexts(sample))
        self._pairs = Counter((sample.label, context) for sample in samples for context in _contexts(sample))
        self._tails = Tails(self._values(samples, own=1))

    def p_values(self, samples: Sequence[Sample]) -> Values:
        """Return the p-values of the samples against human documents that are as rare; what is frequent is no fault."""
        return self._tails.low(self._values(samples))

    def rarity(self, sample: Sample, own: int = 0) -> Rarity:
        """Return the rarest combination of a sample's label, in `own` of which it was counted itself."""
        labelled, others = self._labels[sample.label] - own, self._size - own
        if labelled <= 0:
            return Rarity(0, 0.0, None)
        found = (
            Rarity(
                self._pairs[sample.label, context] - own, labelled * (self._contexts[context] - own) / others, context
            )
            for context in _contexts(sample)
        )
        return min(found, key=lambda rarity: rarity.ratio)

    def _values(self, samples: Sequence[Sample], own: int = 0) -> Values:
        """Return the logs of the ratios; of a label that is not there less than any."""
        ratios: dict[tuple[str | None, tuple[Context, ...]], float] = {}
        found = np.empty(len(samples))
        for row, sample in enumerate(samples):
            key = sample.label, tuple(_contexts(sample))
            if key not in ratios:
                ratios[key] = self.rarity(sample, own).ratio
            found[row] = ratios[key]
        return np.log(np.maximum(found, 1 / (self._size + 2)))


def _contexts(sample: Sample) -> Iterator[Context]:
    yield "task", sample.task
    yield from sample.tags.items()
