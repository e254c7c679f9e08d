import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services import regions
from services.regions import neglected
from streams.stats.cells import Codebook, nearest


def book(*counts: int) -> Codebook:
    size = len(counts)
    return Codebook(np.arange(float(size)).reshape(-1, 1), np.array(counts), np.zeros(size, np.bool_))


def test_regions_with_less_than_half_of_what_is_expected_are_neglected_where_chance_does_not_explain_it() -> None:
    assert neglected(np.array([500, 400, 49, 51]), book(50, 30, 10, 10)) == (2,)
    assert neglected(np.array([50, 30, 10, 10]), book(50, 30, 10, 10)) == ()
    assert neglected(np.array([60, 40, 0, 0]), book(50, 46, 2, 2)) == ()  # 2 are expected
    assert neglected(np.array([0, 0, 0]), book(1, 1, 1)) == ()


@given(st.lists(st.integers(1, 100), min_size=2, max_size=9), st.integers(1, 50))
def test_text_that_is_like_human_text_neglects_nothing(human: list[int], times: int) -> None:
    assert neglected(np.array(human) * times, book(*human)) == ()


@pytest.mark.parametrize("seed", [1, 2])
def test_every_vector_is_counted_in_its_region(seed: int) -> None:
    rng = np.random.default_rng(seed)
    human = rng.normal(size=(400, 3)).astype(np.float16)
    found = regions.codebook(human)
    assert (regions.codebook(human).centres == found.centres).all()
    places = nearest(human.astype(np.float64), found.centres)
    assert (regions.counted(human, found) == np.bincount(places, minlength=len(found.centres))).all()
