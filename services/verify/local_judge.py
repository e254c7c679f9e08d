"""A judge without a network: a linear classifier on hashed n-grams that tells human text from planted faults.

Its weights are naive Bayes': how much commoner an n-gram is in texts with a fault than in human ones, in nats. It is
trained on human texts that no generator has seen, and its limit comes from others, so that it flags at most about 1 in
100 human texts. It knows nothing of how likely a text is: a collapsed one is likely, and full of faults. It does not
see what is right from word to word and wrong as a whole: halves of two texts, or what an n-gram model says unsharpened.
"""

import math
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.verify.planted import Faults, Words
from streams.samples import Sample, Verdict
from streams.words import text_of

_FEATURES = 1 << 18
_SMOOTHING = 0.01  # texts' worth of each n-gram that are thought to have been seen
_SEED = 20
_FALSE_FLAGS = 0.01
_LONGEST = 4  # words of an n-gram of moulds, and of a run that is told again
_ENDING = 2  # letters that stand for a word that is not common
_QUANTILES = (0.9, 0.99)


class Suspicion(NamedTuple):
    """How much a text looks like one of the faults: 0 as the tenth most suspicious of human texts, 1 as the hundredth.

    `kind` is the fault; the limit is where human texts end but for 1 in 100.
    """

    score: float
    kind: str
    limit: float


class LocalJudge:
    """Trained on `fit`, held against `checks`, in some seconds; the same samples give the same judge.

    With fewer than 99 checks it suspects nobody, for nothing shows then how seldom human texts look like a fault.
    """

    def __init__(self, fit: Sequence[Sample], checks: Sequence[Sample]) -> None:
        from sklearn.feature_extraction.text import HashingVectorizer  # noqa: PLC0415 - a second to import

        texts = [text_of(sample).split() for sample in fit]
        faults = Faults(texts, random.Random(_SEED))  # noqa: S311 - no secret hangs on it
        self._common = faults.common
        self._vectors = HashingVectorizer(
            analyzer=self._features, n_features=_FEATURES, alternate_sign=False, norm="l1"
        )
        human = self._shares(texts)
        self._kinds = list(faults.kinds)
        spoilt = [self._shares([make(text) for text in texts]) for make in faults.kinds.values()]
        self._weights = np.array([shares - human for shares in spoilt]).T
        raw = self._raw(checks)
        ends = np.quantile(raw, _QUANTILES, axis=0) if checks else np.array([[0.0], [1.0]])
        self._zero, self._unit = ends[0], np.maximum(ends[1] - ends[0], np.finfo(float).eps)
        self._limit = limit([suspicion.score for suspicion in self._suspicions(raw, math.inf)])

    def over(self, samples: Sequence[Sample]) -> list[Verdict]:
        """Judge texts. Never fails one."""
        return [verdict(each) for each in self._suspicions(self._raw(samples), self._limit)]

    def _suspicions(self, raw: NDArray[np.float64], limit: float) -> list[Suspicion]:
        scaled = (raw - self._zero) / self._unit
        return [Suspicion(float(row.max()), self._kinds[int(row.argmax())], limit) for row in scaled]

    def _raw(self, samples: Sequence[Sample]) -> NDArray[np.float64]:
        if not samples:
            return np.zeros((0, len(self._kinds)))
        found: NDArray[np.float64] = (
            self._vectors.transform([text_of(each).split() for each in samples]) @ self._weights
        )
        return found

    def _shares(self, texts: Sequence[Words]) -> NDArray[np.float64]:
        counts = np.asarray(self._vectors.transform(texts).sum(axis=0))[0] + _SMOOTHING
        shares: NDArray[np.float64] = np.log(counts / counts.sum())
        return shares

    def _features(self, words: Words) -> Iterator[str]:
        lower = [word.lower() for word in words]
        yield from _ngrams(lower, 2, "w")
        yield from _ngrams([self._mould(word) for word in lower], _LONGEST, "m")
        for length in range(1, _LONGEST):
            yield from _again(lower, length)

    def _mould(self, word: str) -> str:
        """Return a common word as it stands, and of any other its ending."""
        return word if word in self._common else f"-{word[-_ENDING:]}"


def limit(scores: Sequence[float]) -> float:
    """Return the score above which at most 1 in 100 texts like these are expected; infinite for fewer than 99."""
    kept = math.ceil((1 - _FALSE_FLAGS) * (len(scores) + 1))
    return sorted(scores)[kept - 1] if kept <= len(scores) else math.inf


def verdict(suspicion: Suspicion) -> Verdict:
    """Judge by a suspicion."""
    score, kind, most = suspicion
    if score <= most:
        return Verdict(check="local_judge", outcome="pass", score=score)
    return Verdict(
        check="local_judge",
        outcome="flag",
        score=score,
        evidence={"looks like": kind, "limit": f"{most:.2f}"},
        explanation=f"The text looks like {kind} ({score:.2f}), more than 99 of 100 human texts do ({most:.2f}).",
    )


def _ngrams(words: Sequence[str], longest: int, mark: str) -> Iterator[str]:
    for length in range(1, longest + 1):
        for start in range(len(words) - length + 1):
            yield f"{mark} {' '.join(words[start : start + length])}"


def _again(words: Sequence[str], length: int) -> Iterator[str]:
    """Yield a word for each run that repeats an earlier one of its text, and for each that follows itself at once."""
    runs = [tuple(words[start : start + length]) for start in range(len(words) - length + 1)]
    for count in Counter(runs).values():
        yield from [f"again {length}"] * (count - 1)
    for run, after in zip(runs, runs[length:], strict=False):
        if run == after:
            yield f"at once {length}"
