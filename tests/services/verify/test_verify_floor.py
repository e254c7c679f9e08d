import random

import pytest
from decided import after, decision
from hypothesis import given
from hypothesis import strategies as st

from services.verify.floor import Floors
from streams.events import Decision, ReviewSubmitted


def scored(said: Decision, lowest: int | None, probability: float = 0.1) -> ReviewSubmitted:
    return decision(said, probability=probability, lowest=lowest)


# The judge gives 4 to what is wrong and 5 to what is right: a floor of 5 tells them apart, the recipe's 3 nothing.
RIGHT, WRONG = scored("accept", 5), scored("reject", 4)


def test_the_floor_moves_to_where_people_draw_the_line() -> None:
    assert after(*[RIGHT] * 40, *[WRONG] * 40).floors.floor(3) == 5


@pytest.mark.parametrize(("right", "wrong", "floor"), [(30, 30, 5), (29, 300, 3), (300, 29, 3)])
def test_it_moves_only_with_thirty_right_and_thirty_wrong(right: int, wrong: int, floor: int) -> None:
    assert after(*[RIGHT] * right, *[WRONG] * wrong).floors.floor(3) == floor


def test_it_sinks_where_it_flags_what_people_find_right() -> None:
    found = after(*[scored("accept", 2)] * 40, *[scored("accept", 5)] * 40, *[scored("edit", 1)] * 40)
    assert found.floors.floor(3) == 2


def test_a_judge_that_tells_nothing_moves_nothing_but_for_one_time_in_twenty() -> None:
    rng = random.Random(3)
    moved = 0
    for _ in range(400):
        said = [scored("accept" if rng.random() < 0.5 else "reject", rng.randint(1, 5)) for _ in range(150)]
        moved += after(*said).floors.floor(3) != 3
    assert moved <= 30  # 20 expected at most


def test_a_candidate_that_no_judge_scored_says_nothing() -> None:
    unscored = [scored("accept", None)] * 100 + [scored("reject", None)] * 100
    assert after(*[RIGHT] * 29, *[WRONG] * 29, *unscored).floors.floor(3) == 3


def test_a_decision_counts_as_many_candidates_as_it_stands_for() -> None:
    rare = [scored("accept", 4, probability=1.0)] * 40  # drawn always, so they stand for themselves alone
    found = after(*rare, *[RIGHT] * 40, *[WRONG] * 40)
    assert found.floors.floor(3) == 5
    assert found.floors.right.between(4, 5) == pytest.approx(40 / 440)


@given(
    st.lists(st.tuples(st.booleans(), st.integers(1, 5), st.sampled_from([0.02, 0.5, 1.0])), max_size=150),
    st.integers(2, 5),
)
def test_where_it_moves_more_wrong_ones_are_told_from_right_ones(
    said: list[tuple[bool, int, float]], given_floor: int
) -> None:
    floors = after(*[scored("accept" if right else "reject", score, p) for right, score, p in said]).floors
    moved = floors.floor(given_floor)
    assert 2 <= moved <= 5
    if moved != given_floor:
        assert told_apart(floors, moved) > told_apart(floors, given_floor)


def told_apart(floors: Floors, floor: int) -> float:
    return floors.wrong.between(1, floor) - floors.right.between(1, floor)
