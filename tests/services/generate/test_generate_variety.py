"""Strategies, personas and temperatures: how evenly calls are spread, and how shares move."""

from collections import Counter
from itertools import pairwise
from math import prod

import pytest
from generate_world import recipe
from hypothesis import given
from hypothesis import strategies as st

from services.generate.strategies import shares, strategy_of
from services.generate.variety import TEMPERATURES, attributes, persona_of, places, range_of
from services.recipe import Personas, RecipeError, Strategies

POINTS = st.tuples(st.floats(0, 1_000), st.floats(0, 1_000)).map(sorted)
SIZES = st.lists(st.integers(1, 9), min_size=1, max_size=4)


def points(two: list[float]) -> Strategies:
    return Strategies(rephrase_from=two[0], new_prompt_from=two[1])


@given(POINTS, st.floats(1e-3, 1e6))
def test_shares_are_shares_and_move_gradually_to_later_strategies(two: list[float], ratio: float) -> None:
    here, on = shares(ratio, points(two)), shares(1.01 * ratio, points(two))
    assert sum(here.values()) == pytest.approx(1)
    assert all(0 <= share <= 1 for share in here.values())
    assert on["answer"] <= here["answer"]
    assert on["new_prompt"] >= here["new_prompt"]
    assert all(abs(on[strategy] - here[strategy]) < 0.011 for strategy in here)


def test_answers_come_first_and_new_prompts_last() -> None:
    at = {ratio: shares(ratio, Strategies()) for ratio in (1, 10, 20, 100, 200, 10_000)}
    assert at[1] == at[10] == {"answer": 1, "rephrase": 0, "new_prompt": 0}
    assert at[20] == pytest.approx({"answer": 0.5, "rephrase": 0.5, "new_prompt": 0})
    assert at[100] == pytest.approx({"answer": 0.1, "rephrase": 0.9, "new_prompt": 0})
    assert at[200] == pytest.approx({"answer": 0.05, "rephrase": 0.45, "new_prompt": 0.5})
    assert at[10_000]["new_prompt"] == pytest.approx(0.99)


@given(POINTS, st.integers(1, 50), st.integers(0, 3_000), st.integers(1, 500))
def test_a_stretch_of_calls_has_its_shares(two: list[float], pool: int, first: int, count: int) -> None:
    calls = range(first, first + count)
    drawn = Counter(strategy_of(call, pool, points(two)) for call in calls)
    wanted: Counter[str] = Counter()
    for call in calls:
        wanted.update(shares((call + 1) / pool, points(two)))
    assert all(abs(drawn[strategy] - wanted[strategy]) < 12 for strategy in wanted)


def test_the_points_are_in_order() -> None:
    with pytest.raises(RecipeError, match="new prompts come in last"):
        recipe(strategies={"rephrase_from": 20, "new_prompt_from": 10})


@given(SIZES, st.integers(0, 10_000), st.integers(1, 300))
def test_every_window_of_calls_holds_each_value_nearly_equally_often(sizes: list[int], first: int, count: int) -> None:
    found = [places(call, sizes) for call in range(first, first + count)]
    for number, size in enumerate(sizes):
        drawn = Counter(each[number] for each in found)
        assert all(abs(drawn[value] - count / size) < 2 for value in range(size))


@given(SIZES, st.integers(0, 20))
def test_as_many_calls_as_there_are_combinations_have_each_once(sizes: list[int], passed: int) -> None:
    combinations = prod(sizes)
    calls = range(passed * combinations, (passed + 1) * combinations)
    assert len({tuple(places(call, sizes)) for call in calls}) == combinations


def test_every_persona_is_asked_at_every_temperature() -> None:
    values = attributes("default")
    personas = prod(map(len, values.values()))
    seen = {(call % TEMPERATURES, *persona_of(call, values).values()) for call in range(TEMPERATURES * personas)}
    assert len(seen) == TEMPERATURES * personas


def test_an_attribute_without_values_is_none_of_a_persona() -> None:
    assert attributes(Personas(style=("dry", "warm"))) == {"style": ("dry", "warm")}
    assert [persona_of(call, {"style": ("dry", "warm")})["style"] for call in range(4)] == ["dry", "warm"] * 2
    assert attributes("none") == {}
    assert persona_of(3, {}) == {}


@pytest.mark.parametrize("value", ["a, b", "a=b", "", "a\nb"])
def test_a_value_of_a_persona_can_be_told_from_the_next(value: str) -> None:
    with pytest.raises(RecipeError):
        recipe(personas={"style": [value]})


def test_facts_are_asked_for_at_lower_temperatures_than_phrasing() -> None:
    facts, phrasing = ({range_of(task) for task in tasks} for tasks in (("math", "code"), ("text", "chat", "poems")))
    assert all(low < high < other for low, high in facts for other, _ in phrasing)
    assert all(low < high for low, high in pairwise([*facts.pop(), *phrasing.pop()]))
