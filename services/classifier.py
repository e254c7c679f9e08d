"""Tells by its words which of some labels a text has, as documents that had them would have it.

One logistic regression for each label against all others, on hashed words and word pairs. That does as well as all at
once (Rifkin and Klautau 2004, J. Mach. Learn. Res. 5), which takes many times as long.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.embedding import counts
from streams.words import Flat

_STRENGTH = 10.0  # inverse of the regularisation
_ITERATIONS = 1_000
_SEED = 7  # of the order in which documents are gone through

Floats = NDArray[np.float64]


class Classifier(NamedTuple):
    """The labels, the weight of each feature for them (features, labels), and their own (labels,)."""

    labels: tuple[str, ...]
    weights: NDArray[np.float32]
    offsets: NDArray[np.float32]

    def odds(self, texts: Flat) -> Floats:
        """Return (documents, labels) the log odds of each label against all others, in nats."""
        found: Floats = np.asarray(counts(texts) @ self.weights, np.float64) + self.offsets
        return found

    def chances(self, texts: Flat) -> Floats:
        """Return (documents, labels) the chances of the labels, of 1 together."""
        each = 1 / (1 + np.exp(-self.odds(texts)))
        found: Floats = each / each.sum(axis=1, keepdims=True)
        return found


def fit(texts: Flat, labels: Sequence[str]) -> Classifier:
    """Return the classifier of documents with at least two labels; the same ones in the same order give the same.

    Takes some seconds for thousands.
    """
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - a second to import

    seen, of, known = counts(texts), np.array(labels), tuple(sorted(set(labels)))
    fitted = [
        LogisticRegression(C=_STRENGTH, solver="liblinear", dual=True, max_iter=_ITERATIONS, random_state=_SEED).fit(
            seen, of == label
        )
        for label in known
    ]
    weights = np.column_stack([one.coef_[0] for one in fitted])
    return Classifier(known, weights.astype(np.float32), np.array([one.intercept_[0] for one in fitted], np.float32))
