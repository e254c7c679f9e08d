"""The proxy for labelled tasks: how well a linear classifier trained on the mix knows the labels of other samples."""

from collections.abc import Sequence

import numpy as np

from services import classifier
from services.evaluate.proxy import Scored, flat
from streams.samples import Sample

_DOUBT = 0.01  # of the probability goes to all labels alike, so that one never seen costs no infinite loss


class Classifier:
    """Trained on samples with at least two labels, each of which has one."""

    name = "linear"

    def __init__(self, samples: Sequence[Sample]) -> None:
        self._model = classifier.fit(flat(samples), [sample.label or "" for sample in samples])

    def score(self, samples: Sequence[Sample]) -> Scored:
        """Return the loss of each sample's label, nats, and `accuracy`, `macro_f1` and `worst_f1` over the labels.

        A sample without a label has no loss; without any there are no metrics.
        """
        from sklearn.metrics import f1_score  # noqa: PLC0415 - a second to import

        losses = np.full(len(samples), np.nan)
        places = [place for place, sample in enumerate(samples) if sample.label is not None]
        if not places:
            return Scored(losses, {})
        chances = self._model.chances(flat([samples[place] for place in places]))
        known = {label: place for place, label in enumerate(self._model.labels)}
        labels = [samples[place].label for place in places]
        right = [chances[row, known[label]] if label in known else 0.0 for row, label in enumerate(labels)]
        losses[places] = -np.log((1 - _DOUBT) * np.array(right) + _DOUBT / (len(known) + 1))
        said = np.array(self._model.labels)[chances.argmax(axis=1)]
        f1 = f1_score(labels, said, average=None, labels=sorted(set(filter(None, labels))), zero_division=0)
        accuracy = float(np.mean(said == np.array(labels)))
        return Scored(losses, {"accuracy": accuracy, "macro_f1": float(f1.mean()), "worst_f1": float(f1.min())})
