import random
from dataclasses import replace

import pytest
from decided import after, decision
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from services.verify.calibration import Calibration, Interval, Kept
from streams.samples import Outcome


def test_what_was_kept_of_the_right_and_of_the_wrong_gives_the_point_of_break_even() -> None:
    right = [decision("accept")] * 45 + [decision("accept", "flag")] * 3 + [decision("accept", "fail")] * 2
    wrong = [decision("reject")] * 8 + [decision("edit")] * 2 + [decision("reject", "fail")] * 30
    found = after(*right, *wrong)
    assert (found.right.ratio().value, found.wrong.ratio().value) == pytest.approx((0.9, 0.25))
    assert found.break_even.value == pytest.approx(1 / (1 + 0.25 / 0.9))


def test_only_decisions_on_what_the_audit_drew_count() -> None:
    others = [
        decision("accept", audited=False),
        replace(decision("accept"), settles=False),
        decision("expire"),
        decision("skip"),
        decision("unknown"),
        decision("accept", probability=0.0),
    ]
    assert after(*others) == Calibration()


@given(st.integers(0, 60), st.integers(0, 60))
def test_with_equal_weights_the_interval_is_that_of_clopper_and_pearson(kept: int, lost: int) -> None:
    found = after(*[decision("accept")] * kept, *[decision("accept", "fail")] * lost).right.ratio()
    if kept + lost:
        exact = binomtest(kept, kept + lost).proportion_ci(method="exact")
        assert found == pytest.approx((kept / (kept + lost), exact.low, exact.high))
    else:
        assert found == Interval(0.5, 0.0, 1.0)


def test_decisions_count_as_the_candidates_that_they_stand_for() -> None:
    few = [decision("reject", "pass", 0.01)] * 10
    many = [decision("reject", "fail", 0.1)] * 100
    found = after(*few, *many).wrong
    assert found.ratio().value == pytest.approx(0.5)
    alone = after(*[decision("reject", "pass")] * 18, *[decision("reject", "fail")] * 18).wrong
    assert found.ratio().low == pytest.approx(alone.ratio().low, abs=0.02), (
        "110 unequal ones tell as much as 36 equal ones"
    )


@given(st.lists(st.tuples(st.booleans(), st.sampled_from(["pass", "flag", "fail"])), max_size=80))
def test_the_interval_of_the_point_of_break_even_holds_it(said: list[tuple[bool, Outcome]]) -> None:
    found = after(*(decision("accept" if right else "reject", automatic) for right, automatic in said))
    value, low, high = found.break_even
    assert 0 <= low <= value <= high <= 1


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    rng, phi, psi, covered = random.Random(3), 0.9, 0.3, 0
    for _ in range(300):
        found = Calibration()
        for _ in range(120):
            right = rng.random() < 0.6
            automatic: Outcome = "pass" if rng.random() < (phi if right else psi) else "fail"
            found = found.plus(decision("accept" if right else "reject", automatic, rng.choice([0.05, 0.1])))
        _, low, high = found.break_even
        covered += low <= phi / (phi + psi) <= high
    assert covered >= 285


def test_nothing_known_is_the_whole_interval() -> None:
    assert Calibration().break_even == Interval(0.5, 0.0, 1.0)
    assert Kept().ratio() == Interval(0.5, 0.0, 1.0)
