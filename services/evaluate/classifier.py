"""The proxy for labelled tasks: a linear classifier on hashed words and word pairs."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from services.evaluate.proxy import Scored
from streams.samples import Sample
from streams.words import text_of, words

_FEATURES = 1 << 16
_STRENGTH = 10.0  # inverse of the regularisation
_ITERATIONS = 1_000
_DOUBT = 0.01  # of the probability goes to all labels alike, so that one never seen costs no infinite loss


class Classifier:
    """Logistic regression, trained on samples with at least two labels."""

    name = "linear"

    def __init__(self, samples: Sequence[Sample]) -> None:
        from sklearn.feature_extraction.text import HashingVectorizer  # noqa: PLC0415 - a second to import
        from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - the same

        self._vectors = HashingVectorizer(analyzer=_features, n_features=_FEATURES, alternate_sign=False)
        self._model = LogisticRegression(C=_STRENGTH, max_iter=_ITERATIONS)
        self._model.fit(self._vectors.transform(map(text_of, samples)), [sample.label for sample in samples])

    def score(self, samples: Sequence[Sample]) -> Scored:
        """Return the loss of each sample's label, nats, and `accuracy`, `macro_f1` and `worst_f1` over the labels."""
        from sklearn.metrics import f1_score  # noqa: PLC0415 - a second to import

        chances: Any = self._model.predict_proba(self._vectors.transform(map(text_of, samples)))
        known = {label: place for place, label in enumerate(self._model.classes_)}
        labels = [sample.label for sample in samples]
        right = [chances[row, known[label]] if label in known else 0.0 for row, label in enumerate(labels)]
        losses = -np.log((1 - _DOUBT) * np.array(right) + _DOUBT / (len(known) + 1))
        said = self._model.classes_[chances.argmax(axis=1)]
        f1 = f1_score(labels, said, average=None, labels=sorted(set(filter(None, labels))), zero_division=0)
        accuracy = float(np.mean(said == np.array(labels)))
        return Scored(losses, {"accuracy": accuracy, "macro_f1": float(f1.mean()), "worst_f1": float(f1.min())})


def _features(text: str) -> list[str]:
    said = words(text)
    return said + [f"{one} {two}" for one, two in pairwise(said)]
