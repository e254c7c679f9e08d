from collections import Counter

import pytest
from generate_world import recipe
from hypothesis import given
from hypothesis import strategies as st

from services.generate.plan import Call, plan, seed_number, source_of, temperature_of, weights
from services.models.provider import Model
from services.recipe import Recipe, Source
from streams.samples import Lineage, Sample, Turn


def seed(text: str, task: str = "text") -> Sample:
    turns = (Turn(role="document", text=text),)
    return Sample(
        sample_id="s", content_hash="s", task=task, turns=turns, lineage=Lineage(origin="HUMAN", generation=0)
    )


SEED = seed("one two three four five six seven eight nine ten")


def source(name: str = "a", **fields: object) -> Source:
    return Source.model_validate({"name": name, "provider": "local", "family": name, **fields})


def local(call_index: int, settings: Recipe, by: Source, model: Model, start: Sample = SEED) -> Call:
    return plan(call_index, settings, by, model, start, pool=10, templates=None)


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
    for first in range(20):
        batch = [temperature_of(call, source(), (0.5, 1.5)) for call in range(first, first + 5)]
        assert sorted(batch) == sorted(drawn), "a batch of the schedule has each step"
    assert {temperature_of(call, source(temperature=0.3), (0.5, 1.5)) for call in range(20)} == {0.3}


def test_no_vendor_is_asked_for_a_temperature_that_it_refuses() -> None:
    claude = source(provider="anthropic", model="m")
    assert sorted({temperature_of(call, claude, (0.8, 1.1)) for call in range(5)}) == [0.8, 0.85, 0.9, 0.95, 1.0]
    assert {temperature_of(call, claude, (1.2, 1.5)) for call in range(5)} == {1.0}


def test_the_same_call_has_the_same_key_and_anything_else_another() -> None:
    settings = recipe()
    one = local(7, settings, source(), Model("m", 0)).request
    assert one == local(7, settings, source(), Model("m", 0)).request
    others = [
        local(8, settings, source(temperature=1.0), Model("m", 0)),
        local(9, settings, source(temperature=1.0), Model("m", 0)),
        local(7, settings, source("b"), Model("m", 0)),
        local(7, settings, source(), Model("n", 0)),
        local(7, settings, source(temperature=0.123), Model("m", 0)),
        local(7, recipe(max_tokens=13), source(), Model("m", 0)),
        local(7, settings, source(), Model("m", 0), seed("another text")),
    ]
    assert len({one.request_key, *(other.request.request_key for other in others)}) == 8


def test_the_prompt_hash_names_the_way_of_asking_not_the_seed() -> None:
    other = seed("something else")
    one, two = (local(7, recipe(), source(), Model("m", 0), start) for start in (SEED, other))
    assert one.prompt_hash == two.prompt_hash != local(7, recipe(task="chat"), source(), Model("m", 0)).prompt_hash


@pytest.mark.parametrize(
    ("task", "role", "text"),
    [("text", "document", "one two three four five six seven eight"), ("chat", "user", SEED.turns[0].text)],
)
def test_a_local_model_gets_the_opening_of_a_text_and_the_first_turn_else(task: str, role: str, text: str) -> None:
    call = local(7, recipe(task=task), source(), Model("m", 0))
    (turn,) = call.request.prompt
    assert (call.strategy, call.persona, call.kept) == ("answer", None, None)
    assert (turn.role, turn.text) == (role, text)
