"""How often `consistency` flags human documents with their own label, and with another one of the task's."""

import random
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import golden
import human_texts
import numpy as np
import planted_labels

from services import artefact
from services.index.minhash import shape
from services.verify import consistency, labelling
from services.verify.check import Batch
from services.verify.consistency import ODDS, Consistency, Found
from streams.samples import Sample

_TAUGHT, _CHECKS, _OTHERS = 4_000, 1_500, 4_500
_BATCH = 1_000


class Told(NamedTuple):
    """Labels learnt from so many documents; how many others have the likeliest label, and how many are flagged.

    They are so as they are, and with another label.
    """

    what: str
    labels: int
    taught: int
    documents: int
    known: int
    right_flagged: int
    wrong_flagged: int


def measured(seed: int) -> Iterator[Told]:
    """Yield what is found of each set of human labels that is at hand; WordNet's are where it is installed."""
    texts = {"kind of play": human_texts.labelled(), "part of speech": human_texts.parts_of_speech()}
    models = artefact.build(1, human_texts.documents()[:_BATCH])
    for what, samples in texts.items():
        rng = random.Random(seed)
        if samples:
            drawn = rng.sample(samples, min(len(samples), _TAUGHT + _CHECKS + _OTHERS))
            taught, checks, others = np.split(np.array(drawn, object), [_TAUGHT, _TAUGHT + _CHECKS])
            human = consistency.fit(models, list(checks), (), 0.01, labelling.fit(list(taught)))
            swap = planted_labels.swapped(golden.labels_of(drawn))
            right = _found(human, list(others))
            wrong = _found(human, [swap(one, rng) for one in others])
            known = int((right.values[:, ODDS] < 0).sum())
            flagged = (int((found.p < human.level).any(axis=1).sum()) for found in (right, wrong))
            yield Told(what, len(golden.labels_of(drawn)), len(taught), len(others), known, *flagged)


def _found(human: Consistency, samples: Sequence[Sample]) -> Found:
    parts = [human.found(Batch(samples[at : at + _BATCH], shape(0.8))) for at in range(0, len(samples), _BATCH)]
    return Found(*(np.concatenate(column) for column in zip(*parts, strict=True)))
