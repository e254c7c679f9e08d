import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.verify.conformal import Tails, level, shortage

VALUES = st.lists(st.integers(-50, 50), min_size=1, max_size=60)


@given(VALUES, st.lists(st.integers(-70, 70), min_size=1, max_size=20))
def test_a_p_value_counts_those_as_extreme_and_the_new_one_for_one_at_most(human: list[int], new: list[int]) -> None:
    tails = Tails(np.array(human, float))
    values = np.array(new, float)
    for p, sign in ((tails.high(values), 1), (tails.low(values), -1)):
        beyond = np.array([sum(sign * one >= sign * value for one in human) for value in new])
        own = p * (len(human) + 1) - beyond
        assert (own >= -1e-9).all()
        assert (own <= 1 + 1e-9).all()
        order = np.argsort(sign * values)
        assert (np.diff(p[order]) <= 1e-12).all()
    np.testing.assert_allclose(tails.two_sided(values), Tails(-np.array(human, float)).two_sided(-values))


def test_the_rank_alone_decides_within_the_human_values_and_the_distance_beyond_them() -> None:
    human = np.random.default_rng(1).exponential(size=200)
    tails = Tails(human)
    rising = np.sort(human)
    np.testing.assert_allclose(tails.high(rising[[20, 100, 170]]), [180 / 201, 100 / 201, 30 / 201])
    np.testing.assert_allclose(tails.high((rising[[20, 100]] + rising[[21, 101]]) / 2), [179.5 / 201, 99.5 / 201])
    near, far, farther = tails.high(human.max() + np.array([0.5, 2.0, 4.0]))
    assert 1 / 201 > near > 2 * far > 8 * farther > 0


def test_equal_values_are_as_probable_as_they_are_frequent() -> None:
    tails = Tails(np.array([80.0] * 97 + [60.0, 61.0, 62.0]))
    assert tails.two_sided(np.array([80.0, 81.0])).tolist() == [1.0, 0.0]
    assert tails.low(np.array([61.0, 61.5, 70.0, 80.0])) == pytest.approx([2 / 101, 2.5 / 101, 4 / 101, 100 / 101])


def test_what_is_allowed_are_the_human_values_that_pass() -> None:
    tails = Tails(np.arange(1_000.0))
    least, most = tails.allowed(0.02)
    assert (tails.two_sided(np.array([least, most])) >= 0.02).all()
    assert (tails.two_sided(np.array([least - 1, most + 1])) < 0.02).all()


@given(st.lists(st.integers(0, 30), min_size=1, max_size=400), st.sampled_from([0.01, 0.05, 0.3]))
def test_the_level_lets_a_new_document_be_flagged_as_seldom_as_is_wanted(ranks: list[int], rate: float) -> None:
    """Whichever of n + 1 documents is the new one: the others' level flags at most a share `rate` of the choices."""
    smallest = np.array(ranks) / 30
    flagged = sum(one < level(np.delete(smallest, place), rate) for place, one in enumerate(smallest))
    assert flagged <= rate * len(smallest) + 1e-6


def test_the_level_is_as_large_as_may_be() -> None:
    smallest = np.random.default_rng(2).permutation(999) / 999
    assert (smallest < level(smallest, 0.01)).sum() == 9
    assert level(smallest[:99], 0.01) == smallest[:99].min()
    assert level(smallest[:98], 0.01) == 0.0


@pytest.mark.parametrize(("documents", "rate", "lacks"), [(99, 0.01, True), (100, 0.01, False), (199, 0.005, True)])
def test_too_few_documents_for_a_rate_are_told(documents: int, rate: float, lacks: bool) -> None:
    told = shortage(documents, rate)
    assert (told is not None) == lacks
    if told is not None:
        assert f"With {documents} documents in the reference's part `checks` and not the {round(1 / rate)} that" in told
