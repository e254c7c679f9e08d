"""What a proxy is: a small model that is trained on a cycle's mix and shows what the mix does to a large one."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from services.evaluate.language import LanguageModel
from streams.samples import Sample
from streams.words import Flat, hashed, text_of, words


class Scored(NamedTuple):
    """The loss of each document in nats, NaN for one that can't be scored, and other scores by name."""

    losses: NDArray[np.float64]
    metrics: Mapping[str, float]


class Proxy(Protocol):
    """A trained proxy."""

    @property
    def name(self) -> str:
        """The kind of model; scores of one kind are compared with each other."""

    def score(self, samples: Sequence[Sample]) -> Scored:
        """Score samples that it was not trained on."""


class Language:
    """The n-gram language model over samples."""

    name = "ngram"

    def __init__(self, samples: Sequence[Sample]) -> None:
        self._model = LanguageModel(flat(samples))

    def score(self, samples: Sequence[Sample]) -> Scored:
        """Return the losses, nats a word, and the perplexity of all words of the samples together."""
        texts = flat(samples)
        losses = self._model.losses(texts)
        sizes = np.diff(texts.starts)
        mean = np.nansum(losses * sizes) / max(1, sizes.sum())
        return Scored(losses, {"perplexity": float(np.exp(mean))})


def flat(samples: Sequence[Sample]) -> Flat:
    """Return the word hashes of samples."""
    return hashed([words(text_of(sample)) for sample in samples])


def has_labels(samples: Sequence[Sample]) -> bool:
    """Tell whether a classifier can be trained: every sample is labelled, and not all alike."""
    labels = {sample.label for sample in samples}
    return None not in labels and len(labels) > 1
