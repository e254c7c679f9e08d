"""Human texts that nearly repeat one that is taken in already: none of them may lie in two pools.

A text that is trained on and held out in other words makes the evaluation say what was learnt by heart. Samples with
other labels, answers or tests, or of a conversation other last turns, are no repetitions, however alike the rest: a
passage has many questions, and a task's template thousands of problems.
"""

from collections.abc import Sequence

import numpy as np

from services.index.minhash import shape
from services.index.texts import Entries, Match, Texts, entries_of
from services.index.twins import Twins
from streams.samples import Sample, digest
from streams.words import Flat, hashed, text_of, words


class Near:
    """The texts of all pools, some 750 bytes each.

    `threshold` is a Jaccard similarity of the sets of three-word runs.
    """

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        self._shape = shape(threshold)
        self._texts = Texts(self._shape)

    def add(self, samples: Sequence[Sample]) -> None:
        """Take samples in that are in a pool. Idempotent by id."""
        if samples:
            self._texts.add(self._entries(samples))

    def take(self, samples: Sequence[Sample]) -> list[Match | None]:
        """Return what each new sample repeats, and take in those that repeat none, nor one before them."""
        if not samples:
            return []
        entries = self._entries(samples)
        found = [self._close(match) for match in self._texts.nearest(entries)]
        twins = Twins(samples, entries.prints, self._threshold)
        new = []
        for place in range(len(samples)):
            found[place] = found[place] or twins.nearest(place)
            if found[place] is None:
                twins.add([place])
                new.append(place)
        self._texts.add(entries.select(np.array(new, np.int64)))
        return found

    def _close(self, match: Match | None) -> Match | None:
        return match if match is not None and match.similarity >= self._threshold else None

    def _entries(self, samples: Sequence[Sample]) -> Entries:
        flat = hashed([words(text_of(sample)) for sample in samples])
        salts = np.repeat(np.array([_salt(sample) for sample in samples], np.uint64), np.diff(flat.starts))
        ids, contents = [sample.sample_id for sample in samples], [sample.content_hash for sample in samples]
        return entries_of(ids, contents, Flat(flat.hashes ^ salts, flat.starts), self._shape)


def _salt(sample: Sample) -> int:
    last = words(sample.turns[-1].text) if len(sample.turns) > 1 else ()
    beside = (sample.label, sample.answer, sample.tests, " ".join(last))
    return int(digest(*map(repr, beside))[:16], 16) if any(beside) else 0
