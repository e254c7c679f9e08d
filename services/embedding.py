"""Latent space without a neural network: latent semantic analysis of hashed words and word pairs.

Deerwester et al. 1990 (J. Am. Soc. Inf. Sci. 41). Fitted on other documents than it is used on: on its own ones it is
circular and tells humans from humans.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from streams.words import Flat, runs

DIMENSIONS = 64
_FEATURES = 1 << 15
_SEED = 7

Vectors = NDArray[np.float32]


class Lsa(NamedTuple):
    """A fitted space: `idf` (features,) and `components` (features, dimensions)."""

    idf: NDArray[np.float32]
    components: Vectors

    def vectors(self, texts: Flat) -> Vectors:
        """Return (documents, dimensions) vectors of length 1; a document without known words is the zero vector."""
        found: Vectors = np.asarray(_weighted(counts(texts), self.idf) @ self.components, np.float32)
        lengths = np.linalg.norm(found, axis=1, keepdims=True)
        np.divide(found, lengths, out=found, where=lengths > 0)
        return found


def fit(texts: Flat) -> Lsa:
    """Return the space of these documents, of DIMENSIONS or as many as they span. Takes some seconds for thousands."""
    from sklearn.decomposition import TruncatedSVD  # noqa: PLC0415 - a second to import, and only fitting needs it

    counted = counts(texts)
    documents = counted.shape[0]
    seen = np.bincount(counted.indices, minlength=_FEATURES)
    idf = (np.log((1 + documents) / (1 + seen)) + 1).astype(np.float32)
    dimensions = max(1, min(DIMENSIONS, documents - 1))
    svd = TruncatedSVD(dimensions, random_state=_SEED).fit(_weighted(counted, idf))
    return Lsa(idf, np.ascontiguousarray(svd.components_.T, np.float32))


def counts(texts: Flat) -> sparse.csr_array:
    """Return (documents, features): 1 + log of how often each word and each pair comes, documents of length 1."""
    pairs = runs(texts, 2)
    documents = len(texts.starts) - 1
    rows = np.concatenate([np.repeat(np.arange(documents), np.diff(each.starts)) for each in (texts, pairs)])
    columns = (np.concatenate([texts.hashes, pairs.hashes]) % np.uint64(_FEATURES)).astype(np.int64)
    # Sorting plain numbers takes a third of the time that scipy takes to add up what comes twice.
    cells, times = np.unique(rows * _FEATURES + columns, return_counts=True)
    starts = np.searchsorted(cells, np.arange(documents + 1) * _FEATURES)
    weights = 1 + np.log(times.astype(np.float32))
    places = (cells % _FEATURES).astype(np.int32), starts.astype(np.int32)  # the integers that scikit-learn takes
    found = sparse.csr_array((weights, *places), shape=(documents, _FEATURES))
    lengths = np.sqrt(found.multiply(found).sum(axis=1))
    scale = np.divide(1.0, lengths, out=np.zeros_like(lengths), where=lengths > 0).astype(np.float32)
    found.data *= np.repeat(scale, np.diff(found.indptr))
    return found


def _weighted(counts: sparse.csr_array, idf: NDArray[np.float32]) -> sparse.csr_array:
    """Return the counts times the weight of their column."""
    return sparse.csr_array((counts.data * idf[counts.indices], counts.indices, counts.indptr), shape=counts.shape)
