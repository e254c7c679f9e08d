"""What the human seeds show: which of them refuse, how answers end, their languages and most frequent words."""

import heapq
from collections import Counter
from itertools import chain

from services.faults.refusals import refuses
from services.index.ids import IdArray, Ids, pack
from services.verify.check import Batch
from services.verify.endings import unstopped
from services.verify.languages import language_of
from streams.words import words

_SAMPLE = 2_000  # seeds whose languages are counted: those with the smallest ids, a random draw as ids are hashes
_LEAST_SHARE = 0.01
_COMMON = 300
_FEWEST_ANSWERS = 300  # from which on it shows whether answers end on a full stop
_MOST_UNSTOPPED = 0.001


class Seeds:
    """A fold over the topic seed, in any order; the sample's texts lie in memory, some megabyte."""

    def __init__(self) -> None:
        self._refusing = Ids()
        self._answers = self._unstopped = 0
        self._drawn: list[tuple[int, str]] = []  # a heap, the largest id on top
        self._said: dict[int, str | None] = {}
        self._languages: frozenset[str] | None = None
        self._common: frozenset[str] | None = None

    def add(self, ids: IdArray, batch: Batch) -> None:
        """Take seeds in that are not here yet."""
        if refusing := [place for place, said in enumerate(batch.lasts) if refuses(said)]:
            self._refusing.add(ids[refusing])
        answers = [one.turns[-1].text for one in batch.samples if one.turns and one.turns[-1].role == "assistant"]
        self._answers += len(answers)
        self._unstopped += sum(map(unstopped, answers))
        for sample, text in zip(batch.samples, batch.texts, strict=True):
            self._draw(-int.from_bytes(sample.sample_id.encode()), text)

    def refuse(self, seed_id: str | None) -> bool:
        """Tell whether a seed refuses; one that is not here does not."""
        return seed_id is not None and bool(self._refusing.rows(pack([seed_id.encode()]))[0] >= 0)

    @property
    def stops(self) -> bool:
        """Tell whether at most one human answer in a thousand lacks its last full stop."""
        return self._answers >= _FEWEST_ANSWERS and self._unstopped <= _MOST_UNSTOPPED * self._answers

    @property
    def languages(self) -> frozenset[str]:
        """The languages of at least one in 100 of the sample's texts whose language is sure."""
        if self._languages is None:
            for key, text in self._drawn:
                if key not in self._said:
                    self._said[key] = language_of(text)
            counts = Counter(said for key, _ in self._drawn if (said := self._said[key]) is not None)
            least = _LEAST_SHARE * counts.total()
            self._languages = frozenset(said for said, count in counts.items() if count >= least)
        return self._languages

    @property
    def common(self) -> frozenset[str]:
        """The 300 most frequent words of the sample."""
        if self._common is None:
            counts = Counter(chain.from_iterable(words(text) for _, text in self._drawn))
            self._common = frozenset(word for word, _ in counts.most_common(_COMMON))
        return self._common

    def _draw(self, key: int, text: str) -> None:
        if len(self._drawn) < _SAMPLE:
            heapq.heappush(self._drawn, (key, text))
        elif key > self._drawn[0][0]:
            gone, _ = heapq.heapreplace(self._drawn, (key, text))
            self._said.pop(gone, None)
        else:
            return
        self._languages = self._common = None
