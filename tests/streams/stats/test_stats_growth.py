from collections import Counter

import numpy as np
import pytest
from scipy.special import gammaln
from stats_texts import documents, flat

from streams.stats.growth import Growth
from streams.words import Flat, words


def grown(batch: Flat, capacity: int = 100_000) -> Growth:
    growth = Growth(capacity)
    growth.update(batch)
    return growth


def test_while_all_types_fit_it_agrees_with_plain_counting_of_the_words_themselves() -> None:
    seen = Counter(word for text in documents()[:500] for word in words(text))
    got = grown(flat(500)).get()
    once, twice = (sum(count == n for count in seen.values()) for n in (1, 2))
    assert got["words"] == seen.total()
    assert (got["types"], got["once"], got["twice"]) == (len(seen), once, twice)
    assert got["hapax"] == pytest.approx(once / len(seen))
    assert got["good_turing"] == pytest.approx(once / seen.total())
    assert got["error"] == 0


def test_the_curve_is_that_of_drawing_without_replacement() -> None:
    counts = np.array(list(Counter(word for text in documents()[:500] for word in words(text)).values()))
    total = counts.sum()
    for size in (1_000, 10_000, total):
        with np.errstate(invalid="ignore"):
            left = np.where(
                total - counts >= size, gammaln(total - counts + 1) - gammaln(total - counts - size + 1), -np.inf
            )
        missed = np.exp(left - gammaln(total + 1) + gammaln(total - size + 1))
        got = grown(flat(500)).curve(np.array([float(size)]))[0]
        assert got == pytest.approx((1 - missed).sum(), rel=3e-4)


def test_the_curve_is_the_mean_number_of_types_of_random_samples() -> None:
    rng, batch = np.random.default_rng(4), flat(500)
    drawn = [len(np.unique(rng.choice(batch.hashes, 5_000, replace=False))) for _ in range(30)]
    assert grown(batch).curve(np.array([5_000.0]))[0] == pytest.approx(np.mean(drawn), rel=0.01)


def test_beta_of_a_zipf_law_of_exponent_two_is_one_half() -> None:
    draws = np.random.default_rng(2).zipf(2.0, 400_000).astype(np.uint64)
    mixed = draws * np.uint64(0x9E3779B97F4A7C15)
    assert grown(Flat(mixed, np.array([0, len(mixed)]))).get()["heaps"] == pytest.approx(0.5, abs=0.03)
    assert np.isnan(grown(Flat(mixed[:900], np.array([0, 900]))).get()["heaps"])


def test_a_full_table_estimates_without_bias_and_within_the_error_that_it_states() -> None:
    batch = flat(3_000)
    whole = grown(batch).get()
    factors = np.random.default_rng(3).integers(0, 2**63, 40, np.uint64) * np.uint64(2) + np.uint64(1)
    sampled = [grown(Flat(batch.hashes * factor, batch.starts), capacity=1_500).get() for factor in factors]
    assert all(0 < got["error"] < 0.12 for got in sampled)
    for name in ("types", "once", "twice", "good_turing", "hapax", "heaps"):
        values = np.array([got[name] for got in sampled])
        assert values.mean() == pytest.approx(whole[name], rel=3.5 * values.std() / whole[name] / np.sqrt(len(values)))
    one = grown(batch, capacity=1_500)
    assert one.curve(np.array([whole["words"]]))[0] == pytest.approx(one.get()["types"])
    scores = [(got["once"] / whole["once"] - 1) / got["error"] for got in sampled]
    assert 0.7 < np.std(scores) < 1.3


def test_the_smaller_share_of_types_holds_for_both_when_two_are_merged() -> None:
    batch = flat(2_000)
    half = int(batch.starts[1_950])
    many = grown(Flat(batch.hashes[:half], np.array([0, half])), capacity=500)
    few = grown(Flat(batch.hashes[half:], np.array([0, len(batch.hashes) - half])), capacity=500)
    assert many.state()["numbers"][1] > few.state()["numbers"][1]
    expected = grown(batch, capacity=500).state()
    few.merge(many)
    for key, array in expected.items():
        np.testing.assert_array_equal(few.state()[key], array)
    assert len(expected["keys"]) <= 500
