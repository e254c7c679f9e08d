"""What a window of documents is by itself: the statistics that need nothing to be compared with.

Of equally many words each, so that windows of equally many documents compare.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from services.artefact import TRAITS
from streams.stats.diversity import Diversity
from streams.stats.documents import Documents
from streams.stats.lengths import Lengths
from streams.stats.novelty import LENGTHS
from streams.stats.overlap import Overlap
from streams.stats.repetition import Repetition, Texts
from streams.stats.syntax import Syntax
from streams.stats.vocabulary import Vocabulary
from streams.words import Flat, starts_of

_OF_VOCABULARY = ("types", "hapax", "good_turing", "chao1", "distinct_2", "distinct_3")
_OF_LENGTHS = ("p05", "p50", "p95")
_MEANS = ("compression", "seed_novel", "copied")


def summary(window: Documents) -> dict[str, float]:
    """Return the statistics of a window by name; those that can't be told of it are left out."""
    words = window.flat()
    vocabulary, diversity, overlap, repetition = Vocabulary(), Diversity(), Overlap(), Repetition()
    for each in (vocabulary, diversity, overlap):
        each.update(words)
    repetition.update(Texts((), words))
    syntax = Syntax()
    syntax.update(window.symbols)
    counted, varied, repeated, built = vocabulary.get(), diversity.get(), repetition.get(), syntax.get()
    found = {
        **{name: counted[name] for name in _OF_VOCABULARY},
        **_of_scores(window.scores),
        "mattr": varied["mattr"],
        "mtld": varied["mtld"],
        **overlap.get(),
        "repeated_4": repeated["repeated_4"],
        "self_repetition": repeated["self_repetition"],
        "templates": built["templates"],
        "template_entropy": built["entropy"],
        **_of_traits(window.traits),
    }
    return {name: value for name, value in found.items() if np.isfinite(value)}


def _of_scores(scores: NDArray[np.float32]) -> Mapping[str, float]:
    means = _means(scores)
    novel = {f"novel_{n}": float(means[place]) for place, n in enumerate(LENGTHS)}
    return {**novel, "surprisal": float(means[-1]), "surprisal_sd": float(scores[:, -1].std(dtype=np.float64))}


def _of_traits(traits: NDArray[np.float32]) -> Mapping[str, float]:
    means = dict(zip(TRAITS, _means(traits).tolist(), strict=True))
    lengths = Lengths()
    sizes = traits[:, TRAITS.index("length")]
    lengths.update(Flat(np.empty(0, np.uint64), starts_of(sizes.astype(np.int64))))
    quantiles = lengths.get()
    return {**{name: means[name] for name in _MEANS}, **{f"length_{each}": quantiles[each] for each in _OF_LENGTHS}}


def _means(columns: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the mean of each column over the documents of which it is known."""
    known = np.isfinite(columns)
    totals = np.where(known, columns, 0.0).sum(axis=0, dtype=np.float64)
    none = np.full_like(totals, np.nan)
    return np.asarray(np.divide(totals, known.sum(axis=0), out=none, where=known.any(axis=0)))
