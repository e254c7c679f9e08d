"""How much the documents of a window repeat each other: self-BLEU, and the share of near-duplicates.

Both compare documents in pairs, so both work on a sample of bounded size, which is chosen by hash: it is the same in
whatever order and parts the window came.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from streams.stats.statistic import State
from streams.words import Flat, first, grams, runs

LENGTH = 64  # words
SHINGLE = 3  # words
_LONGEST_GRAM = 4
_FOR_BLEU = 100  # documents
_FOR_DUPLICATES = 400  # documents
_SIMILAR = 0.8  # Jaccard
_SMOOTH = 0.1
_FACTOR, _HALF = np.uint64(0x9E3779B97F4A7C15), np.uint64(32)

Hashes = NDArray[np.uint64]
Rows = NDArray[np.uint32]
Floats = NDArray[np.float64]


class Overlap:
    """Overlap of the documents of a window. `update` takes word hashes.

    The first 64 words of a document count, and documents of fewer are left out, so that length drives neither value.

    `self_bleu`: mean BLEU-4 of a document against all others as references (Texygen: Zhu et al. 2018, arXiv
    1802.01886), over the 100 documents with the smallest hash of their words. An order of n-grams without a match
    counts as .1 match (add-epsilon: method 1 of Chen and Cherry 2014, as in Texygen); all have 64 words, so the brevity
    penalty is 1. A copy counts as often as it came. Pitfall: it rises with the number of documents, so compare windows
    of 100 or more.

    `near_duplicates`: share of documents that have another with a Jaccard index of word 3-grams >= .8. A sample of one
    document in m, taken by the document's hash, would hold both of a pair but once in m * m. So a document's key is the
    smallest hash of its 3-grams, and the 400 smallest keys are the sample (of the largest key none counts, for some of
    its documents may be cut): two documents of Jaccard index J have the same key with chance J (MinHash: Broder 1997),
    and are kept or left out together. Equal 3-grams of a document are numbered for the key, so that all documents have
    62 and the same chance, those too which go round in circles. Words are kept, so J is exact. Exact up to 399 distinct
    documents; above that, copies are counted without bias, and a document whose only partner has J is missed with
    chance up to (1 - J) / (1 + J), 11 % at .8. Pitfall: what shares one 3-gram may come into the sample together too,
    so a phrase that many documents have makes the share of a large window noisier.

    >>> overlap = Overlap()
    >>> one, two, three = np.random.default_rng(1).integers(0, 2**64, (3, 64), np.uint64)
    >>> overlap.update(Flat(np.concatenate((one, two, three, one)), np.arange(5) * 64))
    >>> {name: round(value, 3) for name, value in overlap.get().items()}
    {'self_bleu': 0.501, 'near_duplicates': 0.5}
    """

    def __init__(self) -> None:
        self._by_document = _Smallest(_FOR_BLEU)
        self._by_shingle = _Smallest(_FOR_DUPLICATES)

    def update(self, batch: Flat) -> None:
        """Take documents in."""
        documents = first(batch, LENGTH)
        shingles = grams(documents, SHINGLE).hashes.reshape(-1, LENGTH - SHINGLE + 1)
        # Half a hash tells the 25,600 words of a sample apart well enough.
        rows = documents.hashes.reshape(-1, LENGTH).astype(np.uint32)
        names, counts = shingles.sum(axis=1), np.ones(len(rows), np.int64)
        self._by_document.add(names, names, counts, rows)
        self._by_shingle.add(_numbered(shingles).min(axis=1), names, counts, rows)

    def merge(self, other: "Overlap") -> None:
        """Keep the smallest of both samples."""
        self._by_document.merge(other._by_document)  # noqa: SLF001 - its own kind
        self._by_shingle.merge(other._by_shingle)  # noqa: SLF001 - its own kind

    def get(self) -> Mapping[str, float]:
        """Return the values; NaN for fewer than two documents."""
        return {"self_bleu": _self_bleu(self._by_document), "near_duplicates": self.near_duplicates()}

    def near_duplicates(self) -> float:
        """Return that value alone: the other takes some 30 milliseconds."""
        return _near_duplicates(self._by_shingle)

    def state(self) -> State:
        """Return both samples."""
        samples = {"document": self._by_document, "shingle": self._by_shingle}
        return {f"{key}_{name}": array for name, sample in samples.items() for key, array in sample.state().items()}

    def restore(self, state: State) -> None:
        """Become what returned the state."""
        for name, sample in {"document": self._by_document, "shingle": self._by_shingle}.items():
            sample.restore({key: state[f"{key}_{name}"] for key in ("keys", "names", "counts", "rows")})


class _Smallest:
    """The documents with the smallest (key, name); a copy of one that is kept is counted, not kept again."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.keys: Hashes = np.empty(0, np.uint64)
        self.names: Hashes = np.empty(0, np.uint64)
        self.counts: NDArray[np.int64] = np.empty(0, np.int64)
        self.rows: Rows = np.empty((0, LENGTH), np.uint32)

    def add(self, keys: Hashes, names: Hashes, counts: NDArray[np.int64], rows: Rows) -> None:
        if len(self.keys) == self.capacity:
            near = keys <= self.keys[-1]
            keys, names, counts, rows = keys[near], names[near], counts[near], rows[near]
        if not len(keys):
            return
        keys, names = np.concatenate((self.keys, keys)), np.concatenate((self.names, names))
        order = np.lexsort((names, keys))
        keys, names = keys[order], names[order]
        new = np.append(True, (keys[1:] != keys[:-1]) | (names[1:] != names[:-1]))
        starts = np.flatnonzero(new)
        self.counts = np.add.reduceat(np.concatenate((self.counts, counts))[order], starts)[: self.capacity]
        kept = starts[: self.capacity]
        self.keys, self.names = keys[kept], names[kept]
        self.rows = np.concatenate((self.rows, rows))[order[kept]]

    def merge(self, other: "_Smallest") -> None:
        self.add(other.keys, other.names, other.counts, other.rows)

    def state(self) -> State:
        return {"keys": self.keys, "names": self.names, "counts": self.counts, "rows": self.rows}

    def restore(self, state: State) -> None:
        self.keys, self.names = state["keys"], state["names"]
        self.counts, self.rows = state["counts"], state["rows"]


def _numbered(shingles: Hashes) -> Hashes:
    """Return hashes that tell the first, second, ... of equal shingles of a row apart; sorted, then mixed."""
    ranked, at = np.sort(shingles, axis=1), np.arange(shingles.shape[1])
    again = np.zeros(ranked.shape, np.bool_)
    again[:, 1:] = ranked[:, 1:] == ranked[:, :-1]
    number = at - np.maximum.accumulate(np.where(again, 0, at), axis=1)
    mixed: Hashes = (ranked ^ (ranked >> _HALF)) + number.astype(np.uint64) * _FACTOR
    mixed = (mixed ^ (mixed >> _HALF)) * _FACTOR
    return mixed ^ (mixed >> _HALF)


def _self_bleu(sample: _Smallest) -> float:
    if sample.counts.sum() < 2:  # noqa: PLR2004 - no other
        return np.nan
    logs = np.zeros(len(sample.rows))
    for length in range(1, _LONGEST_GRAM + 1):
        matches = _matches(_grams(sample.rows, length))
        logs += np.log(np.maximum(matches, _SMOOTH) / (LENGTH - length + 1)) / _LONGEST_GRAM
    bleu = np.where(sample.counts > 1, 1.0, np.exp(logs))  # a copy matches itself
    return float(np.average(bleu, weights=sample.counts))


def _grams(rows: Rows, length: int) -> NDArray[np.int64]:
    """Return the n-grams of each row as numbers from 0 on."""
    flat = Flat(rows.ravel().astype(np.uint64), np.arange(len(rows) + 1) * LENGTH)
    _, numbers = np.unique(runs(flat, length).hashes, return_inverse=True)
    return numbers.reshape(len(rows), -1)


def _matches(grams: NDArray[np.int64]) -> Floats:
    """Return how many n-grams of each row are matched, each as often as one other row has it."""
    count = int(grams.max()) + 1
    cells = grams + np.arange(len(grams))[:, np.newaxis] * count
    table = np.bincount(cells.ravel(), minlength=len(grams) * count).reshape(len(grams), count)
    padded = np.concatenate((np.zeros((1, count), table.dtype), table))  # a single row has no other
    second, most = np.partition(padded, -2, axis=0)[-2:]
    others = np.where(table == most, second, most)
    matches: Floats = np.minimum(table, others).sum(axis=1).astype(np.float64)
    return matches


def _near_duplicates(sample: _Smallest) -> float:
    if sample.counts.sum() < 2:  # noqa: PLR2004 - no other
        return np.nan
    grams = _grams(sample.rows, SHINGLE)
    places = np.repeat(np.arange(len(grams)), grams.shape[1])
    table = csr_array((np.ones(grams.size), (places, grams.ravel())))
    table.data[:] = 1.0  # distinct ones: what came twice in a document was summed
    distinct = table.sum(axis=1)
    shared = (table @ table.T).toarray()
    jaccard = shared / (distinct[:, np.newaxis] + distinct - shared)
    np.fill_diagonal(jaccard, 0.0)
    doubled = (sample.counts > 1) | (jaccard >= _SIMILAR).any(axis=1)
    return float(np.average(doubled, weights=np.where(_whole(sample), sample.counts, 0)))


def _whole(sample: _Smallest) -> NDArray[np.bool_]:
    """Return which documents belong to a key that is surely kept whole: of a full sample not the largest."""
    keys = sample.keys
    if len(keys) < sample.capacity or keys[0] == keys[-1]:
        return np.ones(len(keys), np.bool_)
    whole: NDArray[np.bool_] = keys < keys[-1]
    return whole
