"""How improbable a sample's label is for its words, by a classifier of human labels and what it says of human text."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from services import classifier
from services.artefact import chosen_of
from services.classifier import Classifier
from services.verify.conformal import Tails, Values
from streams.samples import Sample
from streams.words import Flat, hashed, some, text_of, words

FEWEST = (
    100  # human documents of a label to learn it from, and to hold others to: the ten of them in the tail tell its end
)

Label = str | None


class Labelling:
    """Holds each label that it has learnt against the likeliest of the others."""

    def __init__(self, learnt: Classifier) -> None:
        self._classifier = learnt
        self._places: Mapping[Label, int] = {label: place for place, label in enumerate(learnt.labels)}

    def against(self, labels: Sequence[Label], texts: Flat) -> Values:
        """Return (n,) the log odds of the likeliest other label against a text's own, in nats.

        Not a number where it has none or one that was not learnt; only the other texts cost time.
        """
        found = np.full(len(labels), np.nan)
        rows = np.array([row for row, label in enumerate(labels) if label in self._places], np.int64)
        if len(rows):
            own = np.array([self._places[labels[row]] for row in rows.tolist()])
            odds = self._classifier.odds(some(texts, rows))
            at = np.arange(len(rows)), own
            of_own = odds[at]
            odds[at] = -np.inf
            found[rows] = odds.max(axis=1) - of_own
        return found

    def likeliest_but(self, label: str, text: Flat) -> str:
        """Return the likeliest other label of one text."""
        odds = self._classifier.odds(text)[0]
        odds[self._places[label]] = -np.inf
        return self._classifier.labels[int(odds.argmax())]


def fit(samples: Sequence[Sample]) -> Labelling | None:
    """Return what has learnt the labels of human documents; None where not two have FEWEST documents.

    Of more than MOST those of least id count. Takes seconds.
    """
    chosen = [sample for sample in chosen_of(samples) if sample.label is not None]
    counts = Counter(sample.label for sample in chosen)
    learnt = [sample for sample in chosen if counts[sample.label] >= FEWEST]
    if len({sample.label for sample in learnt}) < 2:  # noqa: PLR2004 - one label is nothing to tell apart
        return None
    texts = hashed([words(text_of(sample)) for sample in learnt])
    return Labelling(classifier.fit(texts, [sample.label or "" for sample in learnt]))


class ByLabel:
    """The log odds against the labels of human documents, of each label that `least` of them have.

    Only of those a label is held to its own: a rare one is less expected than others, and that is no fault.
    """

    def __init__(self, labels: Sequence[Label], odds: Values, least: float) -> None:
        rows: Mapping[Label, list[int]] = defaultdict(list)
        for row in np.flatnonzero(~np.isnan(odds)).tolist():
            rows[labels[row]].append(row)
        self._tails = {label: Tails(odds[of]) for label, of in rows.items() if len(of) >= least}

    def __bool__(self) -> bool:
        return bool(self._tails)

    def p_values(self, labels: Sequence[Label], odds: Values) -> Values:
        """Return the p-values against human documents of the same label; 1 where there are too few, or no odds."""
        rows: Mapping[Label, list[int]] = defaultdict(list)
        for row in np.flatnonzero(~np.isnan(odds)).tolist():
            rows[labels[row]].append(row)
        found = np.ones(len(odds))
        for label, of in rows.items():
            if label in self._tails:
                found[of] = self._tails[label].high(odds[of])
        return found

    def most(self, label: Label, level: float) -> float:
        """Return the largest log odds of human documents of a label that a level lets pass."""
        return self._tails[label].most(level)
