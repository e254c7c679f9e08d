"""Latent vectors of real human text for the tests of statistics: an LSA fitted on documents that no vector is of."""

from functools import cache

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline
from stats_texts import documents

FITTED = 3_000
DIMENSIONS = 64


@cache
def vectors(count: int = 4_000) -> NDArray[np.float64]:
    """Return the vectors of the documents that come after the fitted ones."""
    lsa = make_pipeline(
        TfidfVectorizer(sublinear_tf=True, min_df=3, max_features=4_000),
        TruncatedSVD(DIMENSIONS, n_iter=2, random_state=0),
    )
    texts = documents()
    lsa.fit(texts[:FITTED])
    found = np.asarray(lsa.transform(texts[FITTED : FITTED + count]))
    found.flags.writeable = False
    return found


def vector_batches(rng: np.random.Generator, count: int, size: int = 25) -> list[NDArray[np.float64]]:
    """Return batches of vectors, one of them empty and one of a single vector."""
    places = rng.permutation(len(vectors()))[: count * size]
    batches = [vectors()[places[start : start + size]] for start in range(0, len(places), size)]
    if count > 2:
        batches[1] = batches[1][:0]
        batches[2] = batches[2][:1]
    return batches
