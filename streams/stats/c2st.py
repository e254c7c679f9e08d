"""Whether a classifier can tell generated documents from human ones: the two-sample test with a trained eye.

It needs labels, which here come from provenance and not from anybody's guess.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from streams.stats.statistic import State
from streams.words import Flat, runs

_Floats = NDArray[np.float32]
_Ints = NDArray[np.int64]
_LENGTHS = (1, 2, 3)
_STEP = 25  # documents between two steps of the weights
_RATE = 0.3
_EDGE = 10.0  # logits beyond count as so much
_SCORES = 400
_TINY = np.float32(1e-8)


class Labelled(NamedTuple):
    """The word hashes of a batch, and which of its documents are synthetic."""

    texts: Flat
    synthetic: NDArray[np.bool_]


class TwoSample:
    """How well a classifier tells synthetic documents from real ones (Lopez-Paz & Oquab 2017, arXiv 1610.06545).

    `update` takes word hashes and whether each document is synthetic. Values: `accuracy` (the mean of both classes'
    shares of right answers) and `auc`, both .5 where nothing can be told and NaN while a class is missing. Documents
    without words are left out.

    The classifier is a logistic regression on a document's word 1- to 3-grams, hashed into 2 ** `log_bins`, learnt by
    Adagrad (Duchi et al. 2011) in one pass, the rarer class weighted up. There is one for each half of the documents:
    a document is scored by the other half's, as that is then, and teaches its own. Halves go by the words, so that
    duplicates share one. The scores, logits, are counted by class in bins of 1/20.

    Pitfalls: the order matters, and the first documents are scored by models that know little, so the values rise
    with the number of documents: compare equally many. Whatever differs is found, also length, spelling or topic: cut
    both sides alike. Near duplicates in different halves flatter it. More bins see more, a bigram model's text of 64
    words by 2^12, 2^13 and 2^16 with an auc of .58, .61 and .70; the state grows with them.

    To merge is to add up scores and to average weights by the documents seen. The parts' scores stay those of models
    that knew only their part: one pass over 8,000 documents of 64 words gave .72, the same in 2, 4 and 8 parts .69,
    .64 and .60, and in parts of 25 documents .50, which is blind. So keep one running through a window.

    >>> rng = np.random.default_rng(1)
    >>> synthetic = np.arange(1000) % 3 == 0
    >>> words = rng.integers(0, 40, (1000, 10)) + 20 * synthetic[:, np.newaxis]
    >>> test = TwoSample()
    >>> test.update(Labelled(Flat(words.astype(np.uint64).ravel(), np.arange(0, 10_001, 10)), synthetic))
    >>> {name: round(value, 1) for name, value in test.get().items()}
    {'accuracy': 1.0, 'auc': 1.0}
    """

    def __init__(self, *, log_bins: int = 13) -> None:
        self._log_bins = log_bins
        self.weights: _Floats = np.zeros((2, 1 << log_bins), np.float32)  # of each half's model
        self.squares: _Floats = np.zeros_like(self.weights)  # of the gradients so far
        self.learnt: _Ints = np.zeros((2, 2), np.int64)  # documents by half and class
        self.scores: _Ints = np.zeros((2, _SCORES), np.int64)  # held-out logits by class

    def update(self, batch: Labelled) -> None:
        """Score documents by what was learnt before, then learn from them."""
        for part in _parts(batch):
            self._step(part)

    def merge(self, other: "TwoSample") -> None:
        """Add the scores of another, and average the weights by documents."""
        ours, theirs = self.learnt.sum(1), other.learnt.sum(1)
        share = (theirs / np.maximum(ours + theirs, 1))[:, np.newaxis].astype(np.float32)
        self.weights = self.weights + share * (other.weights - self.weights)
        self.squares = self.squares + other.squares
        self.learnt = self.learnt + other.learnt
        self.scores = self.scores + other.scores

    def get(self) -> Mapping[str, float]:
        """Return both values; NaN while a class is missing."""
        real, synthetic = self.scores
        pairs = float(real.sum()) * float(synthetic.sum())
        if not pairs:
            return {"accuracy": np.nan, "auc": np.nan}
        half = _SCORES // 2
        right = real[:half].sum() / real.sum() + synthetic[half:].sum() / synthetic.sum()
        wins = synthetic @ (np.cumsum(real) - real / 2)
        return {"accuracy": float(right / 2), "auc": float(wins / pairs)}

    def state(self) -> State:
        """Return what both models know, and the scores."""
        return {"weights": self.weights, "squares": self.squares, "learnt": self.learnt, "scores": self.scores}

    def restore(self, state: State) -> None:
        """Become what returned the state."""
        self.weights, self.squares = state["weights"], state["squares"]
        self.learnt, self.scores = state["learnt"], state["scores"]

    def _step(self, batch: Labelled) -> None:
        label, half = batch.synthetic.astype(np.int64), _halves(batch.texts)
        bins, owners = _features(batch.texts, self._log_bins)
        own = bins + (half << self._log_bins)[owners]
        other = own ^ (1 << self._log_bins)
        scale = 1 / np.sqrt(np.bincount(owners, minlength=len(label)))  # makes each text's vector one of length 1
        weights = self.weights.ravel()
        held_out = np.bincount(owners, weights[other], len(label)) * scale
        places = np.clip((held_out + _EDGE) * (_SCORES / 2 / _EDGE), 0, _SCORES - 1).astype(np.int64)
        self.scores = self.scores + _table(label, places, self.scores.shape)
        self.learnt = self.learnt + _table(half, label, self.learnt.shape)
        logits = np.bincount(owners, weights[own], len(label)) * scale
        balance = self.learnt.sum(1, keepdims=True) / np.maximum(2 * self.learnt, 1)
        error = (balance[half, label] * (label - expit(logits)) * scale)[owners]
        gradient = np.bincount(own, error, len(weights)).astype(np.float32).reshape(self.weights.shape)
        self.squares = self.squares + gradient**2
        self.weights = self.weights + _RATE * gradient / np.sqrt(self.squares + _TINY)


def _parts(batch: Labelled) -> Iterator[Labelled]:
    """Leave out texts without words, and cut into steps."""
    hashes, starts = batch.texts
    filled = np.diff(starts) > 0
    starts, synthetic = np.append(starts[:-1][filled], starts[-1]), batch.synthetic[filled]
    for step in range(0, len(synthetic), _STEP):
        part = starts[step : step + _STEP + 1]
        yield Labelled(Flat(hashes[part[0] : part[-1]], part - part[0]), synthetic[step : step + _STEP])


def _features(texts: Flat, log_bins: int) -> tuple[_Ints, _Ints]:
    """Return which bins a text has, and which text that is."""
    number = len(texts.starts) - 1
    present = np.zeros(number << log_bins, np.bool_)
    first = np.arange(number) << log_bins
    for length in _LENGTHS:
        grams = runs(texts, length)
        bins = (grams.hashes >> np.uint64(64 - log_bins)).view(np.int64)
        present[np.repeat(first, np.diff(grams.starts)) + bins] = True
    places = np.flatnonzero(present)
    return places & ((1 << log_bins) - 1), places >> log_bins


def _halves(texts: Flat) -> _Ints:
    """Return the half that each text belongs to by its words."""
    sums = np.concatenate((np.zeros(1, np.uint64), np.cumsum(texts.hashes)))  # modulo 2^64, so differences are exact
    return np.diff(sums[texts.starts]).astype(np.int64) & 1


def _table(rows: _Ints, columns: _Ints, shape: tuple[int, ...]) -> _Ints:
    return np.bincount(rows * shape[1] + columns, minlength=shape[0] * shape[1]).reshape(shape)
