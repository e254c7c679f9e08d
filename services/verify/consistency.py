"""How far a sample is from human documents by five measures: what the checks of `consistency` share, done in one pass.

The models are those of the accepted reference, fitted on its part `fit` and the seeds; p-values and the level at which
they are flagged come from its part `checks`, on which nothing else is fitted.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.artefact import Artefact, chosen_of, columns_of, heads_of, said
from services.verify.check import Batch
from services.verify.combinations import Combinations, Rarity
from services.verify.conformal import Values, level
from services.verify.kinds import LEAST, ByKind, kind_of
from services.verify.labelling import FEWEST, ByLabel, Labelling
from services.verify.neighbour import Neighbour
from streams.samples import Sample, beginning
from streams.stats.documents import flat
from streams.words import Flat, hashed, some, text_of, words

SURPRISAL, LENGTH, DISTANCE, ODDS, LABELS = range(5)
_FOLDS = 10
_CHUNK = 1_000
_RARE = 0.1  # of human documents
_SHOWN = 400  # characters of a seed
_ANCHORS = 8_000  # of the seeds: a sample is compared with each of them

Places = NDArray[np.int64]


class Found(NamedTuple):
    """Of each sample its values (n, 4), by SURPRISAL to ODDS, p-values (n, 5), with LABELS, and the nearest seed.

    A value is not a number where a text has too few words for it, or a label that is not learnt.
    """

    values: Values
    p: Values
    nearest: Places

    def at(self, places: Places) -> "Found":
        """Return what is found of some of the samples."""
        return Found(self.values[places], self.p[places], self.nearest[places])


class Outlier(NamedTuple):
    """A sample, by its place, that is less probable than the level: its value, and the human ones that pass."""

    place: int
    value: float
    allowed: tuple[float, float]
    evidence: dict[str, str]


class Mislabelled(NamedTuple):
    """A sample, by its place, whose label is less probable than the level, and the label that its words speak for.

    `odds` is how much they do, in nats, and `most` how much they do for another at most in human ones that pass.
    """

    place: int
    label: str
    likelier: str
    odds: float
    most: float
    evidence: dict[str, str]


class Measures:
    """Surprisal in bits per word and distance in latent space, of the first words; length in words; odds by label.

    The distance is 1 - cosine to the nearest of the seeds: what a generator has seen of human text.
    """

    def __init__(self, artefact: Artefact, seeds: Sequence[Sample], labelling: Labelling | None) -> None:
        self._surprisal, self._lsa, self._unit = artefact.surprisal, artefact.lsa, artefact.unit
        self.labelling = labelling
        chosen = chosen_of(seeds)[:_ANCHORS]
        columns = columns_of(chosen, self._unit)
        self._anchors = np.ascontiguousarray(self._lsa.vectors(columns.flat()).T)
        self.anchors = [Neighbour(seed.sample_id, beginning(seed, _SHOWN)) for seed in _at(chosen, columns.places)]

    def of(self, samples: Sequence[Sample], texts: Flat, said: Flat) -> tuple[Values, Places]:
        """Return the values (n, 4) and the nearest seed of each; of what its author said all but the label's odds."""
        values = np.full((len(samples), 4), np.nan)
        values[:, LENGTH] = np.diff(said.starts)
        if self.labelling is not None:
            values[:, ODDS] = self.labelling.against([sample.label for sample in samples], texts)
        nearest = np.zeros(len(values), np.int64)
        places, heads = heads_of(said, self._unit)
        if len(places):
            known = flat(heads)
            values[places, SURPRISAL] = self._surprisal.score(known)
            if self.anchors:
                near = self._lsa.vectors(known) @ self._anchors
                nearest[places] = best = near.argmax(axis=1)
                values[places, DISTANCE] = 1 - near[np.arange(len(best)), best]
        return values, nearest


class Human:
    """Human documents, as others are held against them; they are a `share` of those that there are."""

    def __init__(self, samples: Sequence[Sample], values: Values, share: float = 1.0) -> None:
        kinds = [kind_of(sample) for sample in samples]
        self.by_kind = [ByKind(kinds, column, share * LEAST) for column in values.T[:ODDS]]
        self.by_label = ByLabel(_labels(samples), values[:, ODDS], share * FEWEST)
        self.combinations = Combinations(samples)

    def p_values(self, samples: Sequence[Sample], values: Values) -> Values:
        """Return the p-values (n, 5) of samples with these values."""
        kinds = [kind_of(sample) for sample in samples]
        columns = [each.p_values(kinds, column) for each, column in zip(self.by_kind, values.T[:ODDS], strict=True)]
        odds = self.by_label.p_values(_labels(samples), values[:, ODDS])
        return np.column_stack([*columns, odds, self.combinations.p_values(samples)])


class Consistency:
    """Judges batches by human documents; each measure flags below `level`, and below `rare` few human documents lie."""

    def __init__(self, measures: Measures, human: Human, level: float, rare: float) -> None:
        self._measures, self._human, self.level, self._rare = measures, human, level, rare

    def found(self, batch: Batch) -> Found:
        """Return what is found of a batch's samples."""
        values, nearest = self._measures.of(batch.samples, batch.hashes, batch.said)
        return Found(values, self._human.p_values(batch.samples, values), nearest)

    def outliers(self, batch: Batch, measure: int) -> list[Outlier]:
        """Return the outliers by SURPRISAL, LENGTH or DISTANCE."""
        found = batch.known(self.found)
        return [
            Outlier(
                place,
                float(found.values[place, measure]),
                self._human.by_kind[measure].allowed(kind_of(batch.samples[place]), self.level),
                self._evidence(found.p[place, measure]),
            )
            for place in self._flagged(found, measure)
        ]

    def rare(self, batch: Batch) -> list[tuple[int, Rarity, dict[str, str]]]:
        """Return the outliers by LABELS: place, what is rare, and the evidence."""
        found = batch.known(self.found)
        return [
            (place, self._human.combinations.rarity(batch.samples[place]), self._evidence(found.p[place, LABELS]))
            for place in self._flagged(found, LABELS)
        ]

    @property
    def knows_labels(self) -> bool:
        """Whether there are human documents enough to tell of a label how probable it is."""
        return bool(self._human.by_label)

    def mislabelled(self, batch: Batch) -> list[Mislabelled]:
        """Return the outliers by ODDS."""
        found = batch.known(self.found)
        return [self._mislabelled(batch, found, place) for place in self._flagged(found, ODDS)]

    def nearest(self, batch: Batch, place: int) -> Neighbour:
        """Return the seed that is nearest to a sample."""
        return self._measures.anchors[int(batch.known(self.found).nearest[place])]

    def neighbours(self, batch: Batch) -> list[Neighbour | None]:
        """Return the seed that is nearest to each sample; None for one that has too few words to tell."""
        distances = batch.known(self.found).values[:, DISTANCE]
        return [None if np.isnan(far) else self.nearest(batch, place) for place, far in enumerate(distances)]

    def in_rare_regions(self, batch: Batch) -> list[bool]:
        """Tell of each sample whether it is like fewer than one in ten human documents."""
        found: list[bool] = (batch.known(self.found).p.min(axis=1) < self._rare).tolist()
        return found

    def _mislabelled(self, batch: Batch, found: Found, place: int) -> Mislabelled:
        labelling, label = self._measures.labelling, batch.samples[place].label
        assert labelling is not None
        assert label is not None
        return Mislabelled(
            place,
            label,
            labelling.likeliest_but(label, some(batch.hashes, np.array([place]))),
            float(found.values[place, ODDS]),
            self._human.by_label.most(label, self.level),
            self._evidence(found.p[place, ODDS]),
        )

    def _flagged(self, found: Found, measure: int) -> list[int]:
        places: list[int] = np.flatnonzero(found.p[:, measure] < self.level).tolist()
        return places

    def _evidence(self, p: float) -> dict[str, str]:
        return {"p_value": f"{p:.2g}", "level": f"{self.level:.2g}"}


def fit(
    artefact: Artefact,
    checks: Sequence[Sample],
    seeds: Sequence[Sample],
    false_flag: float,
    labelling: Labelling | None = None,
) -> Consistency:
    """Return what judges by the part `checks`, so that all five measures together flag `false_flag` of such documents.

    Of more than MOST documents those of least id count. Takes seconds.
    """
    measures, chosen = Measures(artefact, seeds, labelling), chosen_of(checks)
    parts = [chosen[start : start + _CHUNK] for start in range(0, len(chosen), _CHUNK)]
    values = np.concatenate([measures.of(part, _flat(part, text_of), _flat(part, said))[0] for part in parts])
    smallest = _smallest(chosen, values)
    return Consistency(measures, Human(chosen, values), level(smallest, false_flag), level(smallest, _RARE))


def _smallest(samples: Sequence[Sample], values: Values) -> Values:
    """Return each document's smallest p-value, against the documents of the other folds: none judges itself."""
    fold, smallest = np.arange(len(samples)) % _FOLDS, np.empty(len(samples))
    for number in range(min(_FOLDS, len(samples))):
        mine, others = np.flatnonzero(fold == number), np.flatnonzero(fold != number)
        human = Human(_at(samples, others), values[others], 1 - 1 / _FOLDS)
        smallest[mine] = human.p_values(_at(samples, mine), values[mine]).min(axis=1)
    return smallest


def _at(samples: Sequence[Sample], places: Places) -> list[Sample]:
    return [samples[place] for place in places.tolist()]


def _flat(samples: Sequence[Sample], text: Callable[[Sample], str]) -> Flat:
    return hashed([words(text(sample)) for sample in samples])


def _labels(samples: Sequence[Sample]) -> list[str | None]:
    return [sample.label for sample in samples]
