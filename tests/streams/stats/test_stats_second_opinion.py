from copy import deepcopy

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from river.drift import ADWIN, PageHinkley
from stats_case_second_opinion import CALIBRATION

from streams.stats.second_opinion import MEMORY, SecondOpinion, means
from streams.stats.sequential import CELL
from streams.stats.statistic import pack, unpack

PLAIN = np.array([[-1.0], [1.0]])  # of mean 0 and deviation 1; less than a cell, so the detectors know nothing


def said(rng: np.random.Generator, count: int, off: float = 0.0) -> np.ndarray:
    """Return (count, 1) means of cells of a baseline like PLAIN; `off` in their own standard deviations."""
    return (rng.normal(size=(count, 1)) + off) / np.sqrt(CELL)


@given(st.lists(st.tuples(st.integers(1, 120), st.sampled_from([0.0, 1.0, -2.0, 4.0])), max_size=6), st.integers(0, 99))
@settings(max_examples=30)
def test_they_find_what_river_finds_in_deviations_of_a_cell_s_mean(parts: list[tuple[int, float]], seed: int) -> None:
    rng, opinion = np.random.default_rng(seed), SecondOpinion(PLAIN)
    adwin, page_hinkley, found = ADWIN(clock=1), PageHinkley(mode="both"), [0, 0]
    for count, off in parts:
        batch = said(rng, count, off)
        opinion.update(batch)
        for value in (batch * np.sqrt(CELL)).astype(np.float32).ravel().tolist():
            for place, detector in enumerate((adwin, page_hinkley)):
                detector.update(value)
                found[place] += detector.drift_detected
    assert list(opinion.get().values()) == found


@pytest.mark.parametrize("off", [3.0, -3.0])
def test_a_rise_and_a_fall_are_found(off: float) -> None:
    rng, opinion = np.random.default_rng(2), SecondOpinion(PLAIN)
    opinion.update(said(rng, 80))
    assert opinion.get() == {"adwin_drifts": 0.0, "page_hinkley_drifts": 0.0}
    opinion.update(said(rng, 40, off))
    assert opinion.get() == {"adwin_drifts": 1.0, "page_hinkley_drifts": 1.0}
    assert len(opinion.state()["given"]) < 40, "what was before a drift is of no account any more"


def test_the_unit_is_the_baseline_s_own() -> None:
    rng = np.random.default_rng(3)
    calibration, batch = rng.normal(size=(500, 2)), rng.normal(0, 0.5, (300, 2)).cumsum(axis=0) / 5
    found = []
    for scale, shift in ((1.0, 0.0), (1e-3, 7.0)):
        opinion = SecondOpinion(calibration * scale + shift)
        opinion.update(batch * scale + shift)
        found.append(opinion.get())
    assert found[0] == found[1]
    assert min(found[0].values()) >= 2


def test_the_baseline_is_what_is_normal_and_no_drift_of_its_own_counts() -> None:
    rng = np.random.default_rng(4)
    calm, moved = rng.normal(size=(2_000, 1)), rng.normal(size=(2_000, 1))
    moved[1_000:] += 2.0
    opinion = SecondOpinion(moved)
    assert set(opinion.get().values()) == {0.0}
    assert len(opinion.state()["given"]) <= 40, "its second half is a new start"
    opinion = SecondOpinion(calm)
    assert opinion.state()["since"].ravel().tolist() == [80, 80]
    opinion.update(said(rng, 40, 3.0))
    assert set(opinion.get().values()) == {1.0}
    np.testing.assert_allclose(means(calm[:60]), [calm[:25].mean(axis=0), calm[25:50].mean(axis=0)])


def test_a_statistic_that_never_varied_says_nothing() -> None:
    opinion = SecondOpinion(np.ones((100, 1)))
    opinion.update(np.arange(500.0).reshape(-1, 1))
    assert opinion.get() == {"adwin_drifts": 0.0, "page_hinkley_drifts": 0.0}


def test_after_so_many_cells_a_detector_starts_afresh() -> None:
    rng, opinion = np.random.default_rng(5), SecondOpinion(PLAIN)
    calm, after = np.full((MEMORY, 1), 0.0), said(rng, 60, 2.0)
    opinion.update(calm)
    assert opinion.state()["since"].ravel().tolist() == [MEMORY, MEMORY]
    opinion.update(after)
    fresh = SecondOpinion(PLAIN)
    fresh.update(after)
    assert opinion.get() == fresh.get() == {"adwin_drifts": 0.0, "page_hinkley_drifts": 0.0}
    assert pack(opinion.state()) == pack(fresh.state())
    known = SecondOpinion(PLAIN)
    known.update(calm[60:])
    known.update(after)
    assert min(known.get().values()) >= 1, "what was before would have shown the change"


@given(st.integers(0, 400), st.integers(0, 999))
@settings(max_examples=25)
def test_wherever_it_is_restored_it_goes_on_the_same(cut: int, seed: int) -> None:
    rng, whole, again = np.random.default_rng(seed), SecondOpinion(CALIBRATION), SecondOpinion(CALIBRATION)
    batch = rng.normal(3.0, 0.4, (400, 3)) + rng.choice([0.0, 1.0], (8, 3)).repeat(50, axis=0)
    whole.update(batch[:cut])
    state = whole.state()
    kept = pack(state)
    again.restore(unpack(kept))
    for each in (whole, again):
        each.update(batch[cut:])
    assert pack(again.state()) == pack(whole.state())
    assert pack(state) == kept, "a state changed once it was given"
    assert whole.state()["drifts"].sum() > 0


def test_a_copy_goes_its_own_way() -> None:
    rng, opinion, other = np.random.default_rng(1), SecondOpinion(PLAIN), SecondOpinion(PLAIN)
    opinion.update(said(rng, 100))
    kept = pack(opinion.state())
    copy = deepcopy(opinion)
    copy.update(said(rng, 60, 4.0))
    assert min(copy.get().values()) == 1
    assert pack(opinion.state()) == kept
    other.restore(unpack(kept))
    for each in (opinion, other):
        each.update(said(np.random.default_rng(8), 60, -2.0))
    assert pack(opinion.state()) == pack(other.state())
    assert min(opinion.get().values()) == 1
