from collections import Counter

import pytest
from generate_world import recipe
from hypothesis import given
from hypothesis import strategies as st

from services.generate.plan import (
    Seed,
    plan,
    prompt_of,
    seed_number,
    source_of,
    temperature_of,
    weights,
)
from services.models.provider import Model
from services.recipe import Source

SEED = Seed("s", "d", "one two three four five six seven eight nine ten")


def source(name: str = "a", **fields: object) -> Source:
    return Source.model_validate({"name": name, "provider": "local", "family": name, **fields})


@given(st.integers(1, 3_000), st.integers(1, 4))
def test_every_pass_draws_each_seed_once(pool: int, passes: int) -> None:
    drawn = Counter(seed_number(call, pool, "p") for call in range(pool * passes))
    assert drawn == dict.fromkeys(range(pool), passes)


def test_passes_and_pipelines_have_orders_of_their_own() -> None:
    first, second = [[seed_number(call, 500, "p") for call in range(at, at + 500)] for at in (0, 500)]
    assert first != second
    assert first != [seed_number(call, 500, "q") for call in range(500)]
    assert first != sorted(first)


@given(st.dictionaries(st.sampled_from("abcde"), st.floats(0.01, 10), min_size=1), st.integers(1, 2_000))
def test_sources_are_drawn_in_the_proportion_of_their_weights(weighted: dict[str, float], calls: int) -> None:
    drawn = Counter(source_of(call, weighted) for call in range(calls))
    total = sum(weighted.values())
    for name, weight in weighted.items():
        assert abs(drawn[name] - calls * weight / total) <= 8


def test_the_policy_multiplies_weights_and_zero_is_not_drawn() -> None:
    sources = (source("a", weight=2), source("b"), source("c", weight=0), source("d"))
    assert weights(sources, {"a": 0.5, "b": 0.0}) == {"a": 1.0, "d": 1.0}


def test_temperatures_are_five_even_steps_of_the_range_unless_the_source_has_its_own() -> None:
    drawn = Counter(temperature_of(call, source(), (0.5, 1.5)) for call in range(5_000))
    assert sorted(drawn) == [0.5, 0.75, 1.0, 1.25, 1.5]
    assert min(drawn.values()) > 850
    assert {temperature_of(call, source(temperature=0.3), (0.5, 1.5)) for call in range(20)} == {0.3}


def test_the_same_call_has_the_same_key_and_anything_else_another() -> None:
    settings = recipe()
    one = plan(7, settings, source(), Model("m", 0), SEED).request
    assert one == plan(7, settings, source(), Model("m", 0), SEED).request
    others = [
        plan(8, settings, source(temperature=1.0), Model("m", 0), SEED),
        plan(9, settings, source(temperature=1.0), Model("m", 0), SEED),
        plan(7, settings, source("b"), Model("m", 0), SEED),
        plan(7, settings, source(), Model("n", 0), SEED),
        plan(7, settings, source(temperature=0.123), Model("m", 0), SEED),
        plan(7, recipe(max_tokens=13), source(), Model("m", 0), SEED),
        plan(7, settings, source(), Model("m", 0), Seed("s", "d", "another text")),
    ]
    assert len({one.request_key, *(other.request.request_key for other in others)}) == 8


def test_the_prompt_hash_names_the_way_of_asking_not_the_seed() -> None:
    other = Seed("t", None, "something else")
    one, two = (plan(7, recipe(), source(), Model("m", 0), seed) for seed in (SEED, other))
    assert one.prompt_hash == two.prompt_hash != plan(7, recipe(task="chat"), source(), Model("m", 0), SEED).prompt_hash


@pytest.mark.parametrize(
    ("task", "role", "text"),
    [("text", "document", "one two three four five six seven eight"), ("chat", "user", SEED.text)],
)
def test_a_text_is_prompted_by_its_opening_and_a_task_by_its_first_turn(task: str, role: str, text: str) -> None:
    ((turn),) = prompt_of(task, SEED.text)
    assert (turn.role, turn.text) == (role, text)
