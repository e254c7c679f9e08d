"""Faults as models make them, planted in human texts: what the local judge learns to tell from human text.

Each takes a text's words and spoils them; `Faults` knows the human texts that some of them need.
"""

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from itertools import pairwise

Words = list[str]

_COMMON = 150  # words that hold sentences together: the commonest
_DROPPED = 0.7  # of those
_REPEATED = 0.15
_RUNS = (2, 3)  # words
_LOOP = (5, 15)  # words
_SHARPNESS = (3, 6, 12)  # draws of which the commonest is said


class Faults:
    """The faults by name, planted by means of some human texts."""

    def __init__(self, texts: Sequence[Words], rng: random.Random) -> None:
        self._texts, self._rng = texts, rng

    @cached_property
    def common(self) -> frozenset[str]:
        """The commonest words of the texts, in lower case."""
        counts = Counter(word.lower() for text in self._texts for word in text)
        return frozenset(word for word, _ in counts.most_common(_COMMON))

    @property
    def kinds(self) -> Mapping[str, Callable[[Words], Words]]:
        """Each fault by its name."""
        return {
            "shuffled words": self.shuffled,
            "halves of two texts": self.spliced,
            "a loop": self.looped,
            "missing function words": self.dropped,
            "repeated words": self.repeated,
            "repeated runs of words": self.stuttered,
            "words that only follow from the last one": self.gibberish,
            "the commonest words over and over": self.sharpened,
        }

    def shuffled(self, words: Words) -> Words:
        """Put the words in any order."""
        return self._rng.sample(words, len(words))

    def spliced(self, words: Words) -> Words:
        """Go on in mid-sentence with another text."""
        other = self._rng.choice(self._texts)
        return words[: len(words) // 2] + other[len(other) // 2 :]

    def looped(self, words: Words) -> Words:
        """Say the same few words again until the text is as long as it was."""
        length = min(self._rng.randint(*_LOOP), len(words))
        start = self._rng.randrange(len(words) - length + 1)
        before, phrase = words[:start], words[start : start + length]
        return (before + phrase * (len(words) // length + 1))[: max(len(words), len(before) + 3 * length)]

    def dropped(self, words: Words) -> Words:
        """Leave out most of the words that hold sentences together."""
        return [word for word in words if word.lower() not in self.common or self._rng.random() > _DROPPED]

    def repeated(self, words: Words) -> Words:
        """Say some words twice."""
        return self._twice(words, 1)

    def stuttered(self, words: Words) -> Words:
        """Say some runs of two or three words twice."""
        return self._twice(words, self._rng.choice(_RUNS))

    def _twice(self, words: Words, length: int) -> Words:
        runs = [words[start : start + length] for start in range(0, len(words), length)]
        return [word for run in runs for word in run * (1 + (self._rng.random() < _REPEATED))]

    def gibberish(self, words: Words) -> Words:
        """Go on from each word as some text does: an n-gram model of order 2."""
        return self._chained(words, 1)

    def sharpened(self, words: Words) -> Words:
        """Go on from each word as most texts do: the same model, when it has learnt from itself."""
        return self._chained(words, self._rng.choice(_SHARPNESS))

    def _chained(self, words: Words, draws: int) -> Words:
        said = [self._rng.choice(words)] if words else []
        while 0 < len(said) < len(words):
            drawn = self._rng.choices(self._following.get(said[-1]) or words, k=draws)
            said.append(Counter(drawn).most_common(1)[0][0])
        return said

    @cached_property
    def _following(self) -> Mapping[str, Words]:
        found: dict[str, Words] = {}
        for text in self._texts:
            for word, after in pairwise(text):
                found.setdefault(word, []).append(after)
        return found
