import sys
from collections.abc import Callable
from pathlib import Path

import pytest

# the experiments are a package of bench/, which isn't installed; last, so that nothing of bench/ hides a test's module
sys.path.append(str(Path(__file__).parents[1] / "bench"))

from experiments import b2_categorical, b3_gaussian, b5_golden_weighting, b12_closed_loop
from experiments.bar import Bar

SEED = 1


@pytest.mark.parametrize(
    ("experiment", "runs"),
    [(b2_categorical.run, 60), (b3_gaussian.run, 100_000), (b5_golden_weighting.run, 1000), (b12_closed_loop.run, 3)],
)
def test_collapse_goes_as_its_theory_says(experiment: Callable[[int, int], list[Bar]], runs: int) -> None:
    bars = experiment(SEED, runs)
    assert bars
    assert not [bar for bar in bars if not bar.reached]


def test_a_run_can_be_repeated() -> None:
    assert b5_golden_weighting.run(SEED, 10) == b5_golden_weighting.run(SEED, 10)


@pytest.mark.parametrize(
    ("bar", "reached"),
    [
        (Bar("relative", -0.9, -1.0, 0.11), True),
        (Bar("relative", -0.9, -1.0, 0.05), False),
        (Bar("absolute", 9.9, 10.0, 0.11, "absolute"), True),
        (Bar("absolute", 9.0, 10.0, 0.11, "absolute"), False),
        (Bar("bound", 0.1, 10.0, kind="at most"), True),
        (Bar("bound", 10.1, 10.0, kind="at most"), False),
    ],
)
def test_a_bar_is_reached_within_its_tolerance_only(bar: Bar, reached: bool) -> None:
    assert bar.reached is reached
