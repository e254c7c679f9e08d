"""Calls that are limited, fail, wait, or are answered by another source than planned."""

import re
from collections import Counter
from typing import Any

import pytest
from generate_world import Vendor, World, recipe
from hypothesis import given, settings
from hypothesis import strategies as st
from paid_world import Clock, Failing, stubs
from prometheus_client import generate_latest
from structlog.testing import capture_logs

from services.generate.ledger import ledger
from services.generate.plan import source_of
from services.models.faults import TroubleError
from services.models.provider import Request
from streams.events import DeadLetter
from streams.metrics import Metrics


def test_a_call_that_fails_eight_times_is_a_dead_letter_and_its_replay_is_asked_anew() -> None:
    world = World(recipe(sources=stubs("a"), target=20))
    world.clock = clock = Clock()
    failing = Failing(only={3})
    stage = world.slot({"a": Vendor(failing)})
    stage.start()
    for _ in range(5):
        stage.step()
    assert sum(event.call_index == 3 for event in world.responses()) == 1  # it rests
    for _ in range(60):
        stage.step()
        clock.now += 60
        world.verify()
    (letter,) = world.events("dead.generate")
    assert isinstance(letter, DeadLetter)
    assert letter.call_index == 3
    assert letter.explanation.startswith(
        "a gave no answer in 8 attempts, the last time because it answered HTTP status"
    )
    assert [entry[:2] for entry in ledger(world.responses())] == [(3, 8)]
    assert {event.call_index for event in world.made()} == {*range(21)} - {3}
    failing.is_away = False
    world.policy(1)
    world.send("redo.generate", letter.event_id, letter.value or b"")
    world.recipe = recipe(sources=stubs("a"), target=21)
    again = world.slot({"a": Vendor(failing)})
    again.start()
    again.step()
    assert {event.call_index for event in world.made()} == {*range(21)}
    assert max(event.attempt for event in world.responses() if event.call_index == 3) == 9


def test_while_a_source_is_away_its_fall_back_answers_and_says_so_and_one_call_at_a_time_finds_out() -> None:
    first, second = stubs("a", "b")
    world = World(recipe(sources=[{**first, "fall_back": "b"}, {**second, "weight": 0}], target=400), seeds=500)
    world.clock = clock = Clock()
    failing = Failing()
    vendors = {"a": Vendor(failing), "b": Vendor()}
    metrics = Metrics()
    with capture_logs() as logs:
        stage = world.slot(vendors, metrics=metrics)
        stage.start()
        stage.step()
        assert not vendors["a"].bought
        assert len(vendors["b"].bought) > 100
        asked = Counter(event.source.name for event in world.responses() if not event.choices)
        assert 5 <= asked["a"] <= 5 + 3  # those in flight when it opened
        for _ in range(3):
            clock.now += 200
            world.verify(10, lambda _: "reject")
            before = sum(event.source.name == "a" for event in world.responses())
            stage.step()
            assert sum(event.source.name == "a" for event in world.responses()) == before + 1  # the probe
        failing.is_away = False
        clock.now += 200
        world.verify(300, lambda _: "reject")
        stage.step()
    assert len(vendors["a"].bought) > 50
    made = {event.call_index: event.sample.lineage.source for event in world.made()}
    for name, vendor in vendors.items():
        assert {call for call, told in made.items() if told is not None and told.name == name} == set(vendor.bought)
    assert all(told is not None and told.family == told.name for told in made.values())
    assert set((vendors["a"].bought + vendors["b"].bought).values()) == {1}
    positions = [entry["position"] for entry in logs if entry["event"] == "breaker"]
    assert positions == ["open", *["probing", "open"] * 3, "probing", "closed"]
    assert {entry["source"] for entry in logs if entry["event"] == "breaker"} == {"a"}
    shown = generate_latest(metrics.registry).decode()
    assert re.search(r'model_concurrency\{side="limit",source="a"\} [1-4]\.0', shown)
    assert 'model_concurrency{side="in_flight",source="b"} 0.0' in shown


def test_without_a_fall_back_the_calls_of_a_source_that_is_away_wait_and_others_make_theirs() -> None:
    world = World(recipe(sources=stubs("a", "b"), target=100), seeds=500)
    world.clock = clock = Clock()
    failing = Failing()
    vendors = {"a": Vendor(failing), "b": Vendor()}
    stage = world.slot(vendors)
    stage.start()
    stage.step()
    assert not vendors["a"].bought
    bought = len(vendors["b"].bought)
    assert bought == sum(source_of(call, {"a": 1, "b": 1}) == "b" for call in range(100))
    failing.is_away = False
    for _ in range(10):
        clock.now += 100
        stage.step()
    assert len(vendors["a"].bought) + len(vendors["b"].bought) == len(world.made()) == 100
    assert set((vendors["a"].bought + vendors["b"].bought).values()) == {1}


@pytest.mark.parametrize("limited", [False, True])
def test_a_source_that_a_policy_puts_out_gets_no_call_more_not_even_as_a_fall_back_or_one_that_waits(
    limited: bool,
) -> None:
    first, second = stubs("a", "b")
    world = World(recipe(sources=[{**first, "fall_back": "b"}, second], target=100), seeds=500)
    world.clock = clock = Clock()
    vendors = {"a": Vendor(Failing("rate_limited" if limited else "failed")), "b": Vendor()}
    stage = world.slot(vendors)
    out = "a" if limited else "b"
    if not limited:
        world.policy(1, b=0.0)
    stage.start()
    for _ in range(5):
        stage.step()
        clock.now += 100
    if limited:
        world.policy(1, a=0.0)
    for _ in range(20):
        stage.step()
        clock.now += 100
    assert not vendors[out].bought
    assert len(world.made()) == (100 if limited else 0)


@given(st.lists(st.sampled_from(["", "rate_limited", "failed", "timeout"]), max_size=40), st.integers(1, 6))
@settings(deadline=None, max_examples=25)
def test_whatever_fails_in_whatever_order_all_is_made_once_and_every_purchase_is_announced(
    outcomes: list[Any], concurrency: int
) -> None:
    script = list(outcomes)

    def behave(_: Request) -> None:
        if script and (outcome := script.pop()):
            raise TroubleError("no", outcome)

    world = World(recipe(sources=stubs("a", concurrency=concurrency), target=15))
    world.clock = clock = Clock()
    vendor = Vendor(behave)
    stage = world.slot({"a": vendor})
    stage.start()
    for _ in range(100):
        stage.step()
        clock.now += 121
    assert sorted(event.call_index or 0 for event in world.made()) == list(range(15))
    assert set(vendor.bought.values()) == {1}
    asked = [event for event in world.responses() if not event.choices]
    used = outcomes[len(script) :]  # the last ones come first
    assert len(asked) == len(vendor.bought) + sum(outcome in ("failed", "timeout") for outcome in used)
    assert len(asked) == len({event.event_id for event in asked})
    world.close()
