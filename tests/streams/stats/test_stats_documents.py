import numpy as np
import pytest
from stats_texts import flat as flat_of

from streams.errors import DecodeError
from streams.stats.documents import WORDS, Documents, flat, from_bytes, join
from streams.stats.growth import Growth
from streams.stats.statistic import pack
from streams.words import first


def some(count: int, seed: int = 1, width: int = 0) -> Documents:
    rng = np.random.default_rng(seed)
    return Documents(
        keys=rng.integers(0, 2**64, count, np.uint64),
        words=rng.integers(0, 2**32, (count, WORDS), np.uint32),
        vectors=rng.normal(size=(count, 8)).astype(np.float16),
        scores=rng.normal(size=(count, 4)).astype(np.float32),
        traits=rng.normal(size=(count, 2)).astype(np.float32),
        symbols=rng.integers(0, 150, (count, WORDS), np.uint8),
        strata=rng.integers(0, 9, count, np.uint16),
        meanings=rng.normal(size=(count, width)).astype(np.float16),
    )


@pytest.mark.parametrize("width", [0, 3])
def test_documents_come_back_from_their_bytes_and_from_their_parts(width: int) -> None:
    whole = some(40, width=width)
    for again in (from_bytes(whole.to_bytes()), join([whole.part(0, 13), whole.part(13, 40)])):
        for column, other in zip(whole, again, strict=True):
            assert column.dtype == other.dtype
            np.testing.assert_array_equal(column, other)


def test_documents_without_meanings_have_the_bytes_that_they_had_before_there_were_any() -> None:
    columns = some(25)._asdict()
    del columns["meanings"]
    assert some(25).to_bytes() == pack(columns)
    assert from_bytes(pack(columns)).meanings.shape == (25, 0)


def test_those_at_some_places_are_chosen_in_that_order() -> None:
    whole = some(40, width=2)
    for column, other in zip(whole.at(np.array([7, 3])), whole, strict=True):
        np.testing.assert_array_equal(column, other[[7, 3]])


@pytest.mark.parametrize("data", [pack({}), pack({"keys": np.zeros(3)}), b"none"])
def test_bytes_that_are_no_documents_are_one_error(data: bytes) -> None:
    with pytest.raises(DecodeError, match=f"These {len(data)} bytes are no"):
        from_bytes(data)


def test_a_statistic_that_samples_by_hash_sees_the_words_of_columns_as_it_sees_words() -> None:
    texts = first(flat_of(3_000), WORDS)
    narrow = flat((texts.hashes >> np.uint64(32)).astype(np.uint32).reshape(-1, WORDS))
    sampled, whole = Growth(capacity=2_000), Growth()
    sampled.update(narrow)
    whole.update(texts)
    assert sampled.get()["error"] > 0
    for value in ("types", "once", "good_turing"):
        assert sampled.get()[value] == pytest.approx(whole.get()[value], rel=0.15)
