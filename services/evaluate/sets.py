"""What is trained on and what is scored, drawn by hash: so it is the same in every run and on every machine.

- `holdout`: the human samples of topic `holdout`;
- `safety`: those of them whose domain is `safety`;
- `synthetic`: accepted samples that were held back, of every source, frozen at the first cycle that has enough.
"""

from collections.abc import Iterable, Sequence
from hashlib import blake2b

from streams.events import SampleMixed
from streams.samples import Sample
from streams.words import text_of, words

HOLDOUT, SAFETY, SYNTHETIC = "holdout", "safety", "synthetic"
LARGEST = 5_000  # documents of a set
ENOUGH = 25  # documents of a benchmark
_HELD_BACK = 0.2  # of the accepted samples no proxy learns from
_PER_SOURCE = 500


def held_back(sample_id: str) -> bool:
    """Tell whether an accepted sample is one for the benchmark, which no proxy is trained on."""
    return int.from_bytes(_draw(sample_id, b"benchmark"), "big") < _HELD_BACK * (1 << 64)


def real_sets(samples: Iterable[Sample]) -> dict[str, list[Sample]]:
    """Return the sets that are made of the holdout; those without documents are left out."""
    holdout = {sample.sample_id: sample for sample in samples}.values()
    safety = [sample for sample in holdout if sample.tags.get("domain") == SAFETY]
    return {name: _some(found, LARGEST) for name, found in ((HOLDOUT, holdout), (SAFETY, safety)) if found}


def held_back_of(mixed: Iterable[SampleMixed]) -> list[Sample]:
    """Return the accepted samples that are held back."""
    return [event.sample for event in mixed if event.synthetic and held_back(event.sample.sample_id)]


def benchmark(samples: Iterable[Sample]) -> list[Sample]:
    """Return the benchmark of samples that are held back, of each source as many at most; none if they are too few."""
    by_source: dict[str, dict[str, Sample]] = {}
    for sample in samples:
        source = sample.lineage.source
        by_source.setdefault(source.name if source else "", {})[sample.sample_id] = sample
    found = [sample for each in by_source.values() for sample in _some(each.values(), _PER_SOURCE)]
    return found if len(found) >= ENOUGH else []


class Draw:
    """A random draw, by hash, of samples of `most` words in all; `words` is how many there were to draw from."""

    def __init__(self, most: int) -> None:
        self.words = 0
        self._most = most
        self._kept: list[tuple[bytes, int, Sample]] = []
        self._kept_words = 0

    def add(self, samples: Iterable[Sample]) -> None:
        """Offer samples."""
        for sample in samples:
            size = len(words(text_of(sample)))
            self._kept.append((_draw(sample.sample_id, b"train"), size, sample))
            self.words += size
            self._kept_words += size
        if self._kept_words > 2 * self._most:
            self._cut(self._most)

    def take(self, number: int) -> Sequence[Sample]:
        """Return samples of so many words or a little more, as far as there are; not more than `most`."""
        self._cut(min(number, self._most))
        return [sample for _, _, sample in self._kept]

    def _cut(self, number: int) -> None:
        self._kept.sort(key=lambda each: each[0])
        total = 0
        for place, (_, size, _) in enumerate(self._kept):
            if total >= number:
                del self._kept[place:]
                break
            total += size
        self._kept_words = total


def _some(samples: Iterable[Sample], most: int) -> list[Sample]:
    return sorted(samples, key=lambda sample: _draw(sample.sample_id, b"set"))[:most]


def _draw(sample_id: str, person: bytes) -> bytes:
    return blake2b(sample_id.encode(), digest_size=8, person=person).digest()
