import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from streams.stats.sequential import BETS, CELL, Baseline, Evidence, threshold


def p_values(calibration: NDArray[np.float64], values: NDArray[np.float64], seed: int = 5) -> NDArray[np.float64]:
    draws = np.random.default_rng(seed).random(len(values))
    return Baseline(calibration.reshape(-1, 1)).p_values(values.reshape(-1, 1), draws).ravel()


def first_alarm(baseline: Baseline, values: NDArray[np.float64], limit: float) -> int | None:
    """Return after how many documents the evidence reaches the limit."""
    draws = np.random.default_rng(9).random(len(values))
    logs = baseline.log_e(baseline.p_values(values, draws))
    evidence = Evidence(values.shape[1])
    for end in range(CELL, len(values) + 1, CELL):
        evidence.update(logs[end - CELL : end].sum(axis=0))
        if evidence.get()["evidence"] >= limit:
            return end
    return None


@pytest.mark.parametrize("kind", ["continuous", "tied"])
def test_p_values_are_uniform_for_a_stream_that_stays_what_it_was(kind: str) -> None:
    rng = np.random.default_rng(3)
    both = rng.standard_t(3, 6_000) if kind == "continuous" else rng.integers(0, 4, 6_000).astype(float)
    found = p_values(both[:3_000], both[3_000:])
    assert stats.kstest(found, "uniform").pvalue > 0.01
    assert found.min() > 0
    assert found.max() < 1


def test_p_values_are_the_share_of_the_calibration_above() -> None:
    found = Baseline(np.array([[1.0], [2.0], [2.0], [3.0]])).p_values(np.array([[2.0], [9.0]]), np.array([0.0, 0.5]))
    np.testing.assert_allclose(found.ravel(), [1 / 5, 0.5 / 5])


def test_a_bet_wins_nothing_on_average_while_nothing_changes() -> None:
    baseline = Baseline(np.zeros((1_000, 1)))
    uniform = ((np.arange(10_000) + 0.5) / 10_000).reshape(-1, 1)
    mean = np.exp(baseline.log_e(uniform)).mean(axis=(0, 1))
    stakes = np.tile([0.25, 0.5, 0.75, 0.9], 2)
    np.testing.assert_allclose(mean, 1 - stakes * baseline.tolerance)


@pytest.mark.parametrize(("size", "tolerance"), [(400, 1.75 / 20), (4_000, 0.05)])
def test_the_tolerance_covers_the_calibration_error(size: int, tolerance: float) -> None:
    assert Baseline(np.zeros((size, 2))).tolerance == pytest.approx(tolerance)


def test_false_alarms_are_rarer_than_the_threshold_says() -> None:
    rng = np.random.default_rng(17)
    alarms = cells = 0
    for _ in range(20):
        baseline = Baseline(rng.lognormal(size=(1_000, 1)))
        left = rng.lognormal(size=(25_000, 1))
        cells += 1_000
        while (at := first_alarm(baseline, left, 200.0)) is not None:
            alarms, left = alarms + 1, left[at:]
    assert alarms <= cells / 200


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_a_shift_up_or_down_is_found_soon(side: float) -> None:
    rng = np.random.default_rng(23)
    baseline = Baseline(rng.normal(size=(2_000, 3)))
    values = rng.normal(size=(2_000, 3))
    values[:, 1] += side
    at = first_alarm(baseline, values, threshold(25_000_000, 4))
    assert at is not None
    assert at <= 200


def test_the_strongest_statistic_is_named() -> None:
    evidence = Evidence(3)
    logs = np.zeros((3, BETS))
    logs[2] = 1.0
    evidence.update(logs)
    assert evidence.get() == {"evidence": pytest.approx((2 + math.e) / 3), "strongest": 2.0}
    evidence.update(np.full((3, BETS), 800.0))
    assert evidence.get()["evidence"] == math.inf


def test_the_threshold_counts_cells_and_groups() -> None:
    assert threshold(25_000_000, 6) == 6_000_000
