import numpy as np
import pytest
from numpy.typing import NDArray
from stats_vectors import vectors

from streams.stats.discrepancy import Discrepancy, Features, fit, mmd2_exact


def estimate(features: Features, seen: NDArray[np.float64]) -> float:
    found = Discrepancy(features)
    for start in range(0, len(seen), 25):
        found.update(seen[start : start + 25])
    return found.get()["mmd2"]


def test_it_is_the_mean_over_pairs_of_the_cosines_of_its_frequencies() -> None:
    x, y = vectors()[:40], vectors()[40:70] + 0.05
    features = fit(x, seed=2, features=32)

    def kernel(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
        return float(np.mean([np.cos(frequency @ (one - other)) for frequency in features.frequencies.T]))

    same = [np.mean([kernel(a, b) for i, a in enumerate(z) for j, b in enumerate(z) if i != j]) for z in (x, y)]
    across = np.mean([kernel(a, b) for a in x for b in y])
    assert estimate(features, y) == pytest.approx(sum(same) - 2 * across, abs=1e-6)


def test_the_exact_one_is_the_mean_of_gaussian_kernels_over_pairs() -> None:
    x, y = vectors()[:30], vectors()[30:50]

    def kernel(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
        return float(np.exp(-np.sum((one - other) ** 2) / (2 * 0.3**2)))

    same = [np.mean([kernel(a, b) for i, a in enumerate(z) for j, b in enumerate(z) if i != j]) for z in (x, y)]
    across = np.mean([kernel(a, b) for a in x for b in y])
    assert mmd2_exact(x, y, 0.3) == pytest.approx(sum(same) - 2 * across, rel=1e-12)


def test_features_agree_with_the_exact_estimate_on_shifted_gaussians() -> None:
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=(600, 8)), rng.normal(0.5, 1, (500, 8))
    drawn = [fit(x, seed=seed) for seed in range(8)]
    exact = mmd2_exact(x, y, drawn[0].bandwidth)
    found = [estimate(features, y) for features in drawn]
    assert np.mean(found) == pytest.approx(exact, rel=0.04)
    assert np.allclose(found, exact, rtol=0.15)


def test_human_text_is_at_0_from_human_text_and_half_of_its_topics_are_not() -> None:
    rng, found = np.random.default_rng(5), []
    for _ in range(20):
        places = rng.permutation(len(vectors()))[:1_200]
        found.append(estimate(fit(vectors()[places[:600]], seed=6), vectors()[places[600:]]))
    spread = float(np.std(found))
    features, others = fit(vectors()[:1_000], seed=6), vectors()[1_000:2_000]
    assert abs(np.mean(found)) < 3 * spread / np.sqrt(20)
    assert min(found) < 0 < max(found), "unbiased"
    assert abs(estimate(features, others[:600])) < 3 * spread
    assert estimate(features, others[others[:, 1] > np.median(others[:, 1])]) > 10 * spread


def test_what_is_frozen_is_the_median_distance_and_the_same_for_the_same_seed() -> None:
    x = np.array([[0.0], [1.0], [10.0]])
    assert fit(x, seed=1).bandwidth == 9
    again, other = fit(x, seed=1), fit(x, seed=2)
    np.testing.assert_array_equal(fit(x, seed=1).frequencies, again.frequencies)
    assert not np.array_equal(other.frequencies, again.frequencies)
    assert again.number == 3


def test_a_reference_longer_than_a_chunk_is_summed_whole() -> None:
    features = fit(vectors()[:2_300], seed=1)
    phases = vectors()[:2_300] @ features.frequencies
    whole = np.concatenate((np.cos(phases).sum(0), np.sin(phases).sum(0))) / np.sqrt(512)
    np.testing.assert_allclose(features.total, whole, atol=1e-3)


def test_one_vector_is_too_little_and_a_reference_without_spread_is_refused() -> None:
    assert np.isnan(estimate(fit(vectors()[:10], seed=1), vectors()[:1]))
    with pytest.raises(ValueError, match="At least half of 5 reference vectors are the same"):
        fit(np.ones((5, 3)), seed=1)
