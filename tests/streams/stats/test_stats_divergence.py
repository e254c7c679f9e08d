from collections import Counter

import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon
from scipy.stats import entropy
from stats_texts import flat

from streams.stats.divergence import Divergence, binned
from streams.words import Flat

ALL = flat(2_000)


def part(first: int, last: int) -> Flat:
    """Return the words of some of the documents."""
    start, end = ALL.starts[first], ALL.starts[last]
    return Flat(ALL.hashes[start:end], ALL.starts[first : last + 1] - start)


def jsd(reference: Flat, seen: Flat, bins: int) -> float:
    found = Divergence(binned(reference, bins), bins)
    found.update(seen)
    return found.get()["jsd"]


@pytest.mark.parametrize("length", [1, 2])
def test_it_agrees_with_scipy_on_counts(length: int) -> None:
    reference, observed = (binned(part(*ends), 512, length) for ends in ((0, 500), (500, 700)))
    found = Divergence(reference, 512, length)
    for start in range(500, 700, 20):
        found.update(part(start, start + 20))
    got = found.get()
    assert got["jsd"] == pytest.approx(jensenshannon(observed, reference, base=2) ** 2, rel=1e-12)
    assert got["kl"] == pytest.approx(entropy(observed, reference + 0.5, base=2), rel=1e-12)


def test_each_n_gram_is_one_count_and_equal_ones_share_a_bin() -> None:
    texts = [ALL.hashes[ALL.starts[place] : ALL.starts[place + 1]] for place in range(30)]
    for length in (1, 2, 3):
        grams = Counter(gram for text in texts for gram in zip(*(text[i:] for i in range(length)), strict=False))
        counts = binned(part(0, 30), 1 << 20, length)
        assert counts.sum() == grams.total()
        assert sorted(counts)[-20:] == sorted(grams.values())[-20:]
        assert np.count_nonzero(counts) == pytest.approx(len(grams), abs=12), "a few share a bin"


def test_n_grams_do_not_cross_from_one_text_into_the_next_and_short_texts_have_none() -> None:
    texts = Flat(np.array([1, 2, 9, 1, 2], np.uint64), np.array([0, 2, 3, 3, 5]))
    assert sorted(binned(texts, 16, 2)) == [0] * 15 + [2]
    assert binned(texts, 16, 3).sum() == 0


def test_the_same_words_are_at_0_and_other_words_at_1() -> None:
    assert jsd(ALL, ALL, 4096) == 0
    one, other = (Flat(np.full(9, key, np.uint64), np.array([0, 9])) for key in (1, 2))
    assert jsd(one, other, 4096) == 1


def test_between_samples_of_one_source_it_is_the_bias_of_dense_counts() -> None:
    rng, bins, n, m = np.random.default_rng(3), 64, 20_000, 5_000
    found = []
    for _ in range(30):
        one, other = (rng.integers(0, 1 << 60, size).astype(np.uint64) for size in (n, m))
        found.append(jsd(Flat(one, np.array([0, n])), Flat(other, np.array([0, m])), bins))
    assert np.mean(found) == pytest.approx((bins - 1) * (1 / n + 1 / m) / (8 * np.log(2)), rel=0.15)


def test_at_equal_numbers_of_words_repeated_documents_are_farther_than_fresh_ones() -> None:
    fresh, few = part(1_000, 1_400), part(1_000, 1_040)
    repeated = Flat(np.tile(few.hashes, 10), np.append(0, np.cumsum(np.tile(np.diff(few.starts), 10))))
    assert jsd(part(0, 1_000), repeated, 4096) > 1.5 * jsd(part(0, 1_000), fresh, 4096)
    assert jsd(part(0, 1_000), part(1_000, 1_040), 4096) > 1.5 * jsd(part(0, 1_000), fresh, 4096), "few words: bias"


def test_there_is_nothing_to_say_about_no_words() -> None:
    none = Flat(np.empty(0, np.uint64), np.array([0]))
    assert np.isnan(jsd(ALL, none, 64))
    assert np.isnan(jsd(none, ALL, 64))


def test_bins_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="1000 bins are no power of two"):
        binned(ALL, 1_000)
    with pytest.raises(ValueError, match=r"shape \(64,\); make it with `binned` and 128 bins"):
        Divergence(binned(ALL, 64), 128)
