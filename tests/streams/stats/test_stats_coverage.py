import numpy as np
import pytest
from numpy.typing import NDArray
from prdc import compute_prdc
from stats_vectors import vectors

from streams.stats.coverage import Coverage, Keyed, Reference, fit

NAMES = ["precision", "recall", "density", "coverage"]


def after(reference: Reference, keys: NDArray[np.uint64], seen: NDArray[np.float64]) -> Coverage:
    found = Coverage(reference)
    for start in range(0, len(seen), 25):
        found.update(Keyed(keys[start : start + 25], seen[start : start + 25]))
    return found


def numbered(count: int) -> NDArray[np.uint64]:
    return np.arange(count, dtype=np.uint64)


@pytest.mark.parametrize(("k", "scale"), [(5, 1.0), (3, 0.7)])
def test_it_agrees_with_prdc_on_equal_samples(k: int, scale: float) -> None:
    reference = fit(vectors()[:500], k)
    seen = (vectors()[500:1_000] * scale).astype(np.float32).astype(np.float64)
    expected = compute_prdc(reference.vectors.astype(np.float64), seen, nearest_k=k)
    got = after(reference, numbered(500), seen).get()
    assert list(got) == NAMES
    for name in NAMES:
        assert got[name] == pytest.approx(expected[name], abs=1e-12), name


def test_human_text_covers_human_text_as_far_as_k_neighbours_can() -> None:
    starts = range(0, 4_000, 800)
    drawn = [
        after(fit(vectors()[start:][:400], k=3), numbered(400), vectors()[start + 400 :][:400]) for start in starts
    ]
    got = {name: np.mean([found.get()[name] for found in drawn]) for name in NAMES}
    assert got["coverage"] == pytest.approx(1 - 2**-3, abs=0.025)
    assert got["density"] == pytest.approx(1, abs=0.1)
    assert got["precision"] == pytest.approx(got["recall"], abs=0.03)


def test_when_documents_draw_together_recall_and_coverage_fall_and_precision_does_not() -> None:
    reference, human, rng = fit(vectors()[:500]), vectors()[500:1_000], np.random.default_rng(9)
    drawn = human[rng.integers(0, 20, 500)] + rng.normal(0, 0.005, human.shape)
    healthy, narrow = (after(reference, numbered(500), seen).get() for seen in (human, drawn))
    assert narrow["precision"] > healthy["precision"] - 0.15
    assert narrow["recall"] < 0.1
    assert narrow["coverage"] < 0.5 * healthy["coverage"]


def test_the_sample_is_the_same_in_any_order_and_in_any_parts_and_as_large_as_the_reference() -> None:
    reference, keys, rng = fit(vectors()[:1_000], most=100), numbered(2_000), np.random.default_rng(8)
    whole = after(reference, keys, vectors()[2_000:])
    for _ in range(3):
        order = rng.permutation(2_000)
        parts = [after(reference, keys[part], vectors()[2_000:][part]) for part in np.array_split(order, 3)]
        parts[0].merge(parts[1])
        parts[0].merge(parts[2])
        np.testing.assert_array_equal(parts[0].hashes, whole.hashes)
        np.testing.assert_array_equal(parts[0].vectors, whole.vectors)
    assert whole.vectors.shape == (100, 64)
    assert whole.vectors.dtype == np.float32


def test_of_keys_in_a_row_the_sample_takes_as_many_from_each_quarter() -> None:
    numbers = np.arange(20_000.0)[:, np.newaxis]
    found = after(fit(np.arange(1_000.0)[:, np.newaxis]), numbered(20_000), numbers)
    quarters = np.bincount((found.vectors[:, 0] // 5_000).astype(int), minlength=4)
    assert quarters.sum() == 1_000
    assert np.allclose(quarters, 250, atol=3.5 * np.sqrt(1_000 * 3 / 16))


def test_a_key_that_comes_again_counts_once() -> None:
    reference = fit(vectors()[:300])
    once = after(reference, numbered(200), vectors()[300:500])
    twice = after(reference, np.tile(numbered(200), 2), np.tile(vectors()[300:500], (2, 1)))
    assert once.get() == twice.get()


def test_the_reference_is_thinned_over_its_whole_length() -> None:
    reference = fit(np.arange(2_001.0)[:, np.newaxis], k=2, most=5)
    np.testing.assert_array_equal(reference.vectors[:, 0], [0, 500, 1_000, 1_500, 2_000])
    np.testing.assert_array_equal(reference.radii, [1_000, 500, 500, 500, 1_000])


def test_no_more_than_k_vectors_are_too_few() -> None:
    reference = fit(vectors()[:100], k=5)
    assert np.isnan(list(after(reference, numbered(5), vectors()[:5]).get().values())).all()
    assert not np.isnan(list(after(reference, numbered(6), vectors()[:6]).get().values())).any()
    with pytest.raises(ValueError, match="5 reference vectors have no 5 neighbours"):
        fit(vectors()[:5], k=5)
