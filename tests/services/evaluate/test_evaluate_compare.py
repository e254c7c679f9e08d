import math

import numpy as np
import pytest

from services.evaluate.compare import LARGEST, _stakes, bootstrap, level, lower_bound

ALPHA = 0.1


def skewed(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Mean 0, seldom far below and mostly a little above: the worst case for bounds that trust a small variance."""
    return np.where(rng.random(shape) < 0.02, -0.98, 0.02)


def most(alpha: float, runs: int) -> float:
    """Return the share of false alarms that chance explains, three standard deviations up."""
    return alpha + 3 * math.sqrt(alpha * (1 - alpha) / runs)


@pytest.mark.parametrize("size", [20, 200, 1_000])
@pytest.mark.parametrize("draw", [skewed, lambda rng, shape: rng.normal(0, 0.3, shape)], ids=["skewed", "normal"])
def test_without_a_change_the_bound_is_seldom_above_zero(draw: object, size: int) -> None:
    rng = np.random.default_rng(size)
    runs = 600
    alarms = sum(lower_bound(draw(rng, (size,)), ALPHA) > 0 for _ in range(runs))  # type: ignore[operator]
    assert alarms / runs <= most(ALPHA, runs)


def test_all_cycles_together_raise_a_false_alarm_as_seldom_although_they_share_their_documents() -> None:
    rng = np.random.default_rng(5)
    runs, cycles, alarms = 200, 12, 0
    for _ in range(runs):
        documents = rng.normal(0, 0.2, 150)
        alarms += any(
            lower_bound(documents + rng.normal(0, 0.1, 150), level(ALPHA, cycle)) > 0 for cycle in range(1, cycles + 1)
        )
    assert alarms / runs <= most(ALPHA, runs)


def test_the_levels_of_all_cycles_are_alpha_together() -> None:
    assert sum(level(ALPHA, cycle) for cycle in range(1, 100_000)) == pytest.approx(ALPHA, rel=1e-4)
    assert level(ALPHA, 1) > level(ALPHA, 2) > 0


def test_a_rise_is_found_and_the_bound_comes_closer_with_more_documents() -> None:
    rng = np.random.default_rng(7)
    found = [lower_bound(rng.normal(0.2, 0.3, size), 0.01) for size in (50, 500, 5_000)]
    assert found == sorted(found)
    assert 0.1 < found[1] < 0.2
    assert 0.18 < found[2] < 0.2


def test_a_bet_knows_only_the_documents_before_it() -> None:
    found = np.random.default_rng(8).random(50)
    for place in (0, 1, 20, 49):
        other = found.copy()
        other[place:] = 1 - other[place:]
        assert _stakes(other, 0.05)[: place + 1].tolist() == _stakes(found, 0.05)[: place + 1].tolist()


def test_one_document_gone_wild_counts_as_the_largest_difference() -> None:
    calm = np.full(400, 0.1)
    assert lower_bound(np.append(calm, 1e9), 0.05) == lower_bound(np.append(calm, LARGEST), 0.05)


def test_the_bootstrap_covers_the_mean_as_often_as_it_says() -> None:
    rng = np.random.default_rng(9)
    runs = 200
    hits = sum(low <= 1 <= high for low, high in (bootstrap(rng.normal(1, 2, 80), rng) for _ in range(runs)))
    assert 0.88 <= hits / runs <= 0.99


def test_the_bootstrap_is_the_same_with_the_same_seed() -> None:
    found = np.random.default_rng(1).normal(0, 1, 50)
    assert bootstrap(found, np.random.default_rng(2)) == bootstrap(found, np.random.default_rng(2))
    assert bootstrap(found, np.random.default_rng(2)) != bootstrap(found, np.random.default_rng(3))
