import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from stats_texts import documents

from services import embedding
from streams.words import Flat, hashed, runs, words

FEATURES = 1 << 15


def counted_by_scipy(texts: Flat) -> sparse.csr_array:
    """Return the same counts, added up by scipy."""
    pairs, count = runs(texts, 2), len(texts.starts) - 1
    rows = np.concatenate([np.repeat(np.arange(count), np.diff(each.starts)) for each in (texts, pairs)])
    columns = (np.concatenate([texts.hashes, pairs.hashes]) % np.uint64(FEATURES)).astype(np.int64)
    counts = sparse.csr_array((np.ones(len(rows), np.float32), (rows, columns)), shape=(count, FEATURES))
    counts.sum_duplicates()
    counts.data = 1 + np.log(counts.data)
    lengths = np.sqrt(counts.multiply(counts).sum(axis=1))
    scale = np.divide(1.0, lengths, out=np.zeros_like(lengths), where=lengths > 0).astype(np.float32)
    counts.data *= np.repeat(scale, np.diff(counts.indptr))
    return counts


def assert_same_vectors(texts: Flat) -> None:
    rng = np.random.default_rng(1)
    idf, components = rng.random(FEATURES, np.float32), rng.random((FEATURES, 8), np.float32)
    counts = counted_by_scipy(texts)
    weighted = sparse.csr_array((counts.data * idf[counts.indices], counts.indices, counts.indptr), shape=counts.shape)
    expected = np.asarray(weighted @ components, np.float32)
    lengths = np.linalg.norm(expected, axis=1, keepdims=True)
    np.divide(expected, lengths, out=expected, where=lengths > 0)
    assert np.array_equal(embedding.Lsa(idf, components).vectors(texts), expected)


@given(st.lists(st.lists(st.sampled_from(["to", "be", "or", "not"]), max_size=9), min_size=1, max_size=9))
def test_vectors_are_those_of_counts_that_scipy_adds_up(texts: list[list[str]]) -> None:
    assert_same_vectors(hashed(texts))


def test_vectors_of_the_plays_are_those_of_counts_that_scipy_adds_up() -> None:
    assert_same_vectors(hashed([words(text) for text in documents()[::5]]))
