"""An alarm's order: the seeds of what is held are drawn again, by the others, each once, whoever is killed when."""

from collections import Counter
from dataclasses import replace

import pytest
from generate_world import CODEC, Vendor, World, lives, recipe
from hypothesis import given, settings
from hypothesis import strategies as st

from services.generate.again import Orders
from services.generate.drawn import NO_POLICY, Drawn, key_of
from services.generate.service import Generator
from streams.events import DeadLetter, MixPolicySet, ModelAnswered, SampleGenerated, SampleRejected
from streams.parts import OPEN_END, SourceRange
from streams.samples import digest

SOURCES = [{"name": name, "provider": "local", "family": name} for name in "ab"]
SEEDS = 400  # more than there are calls: by its plan no run draws a seed twice
OUT = {"a": 0.0}
HELD = SourceRange(source="a", partition=1, from_offset=40, to_offset=OPEN_END)
RETURNED = SourceRange(source="a", partition=1, from_offset=40, to_offset=90)


@pytest.fixture(autouse=True)
def _waves_of_four(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.generate.dispatcher.FIRST_SIZE", 4)
    monkeypatch.setattr("services.generate.dispatcher.next_size", lambda *_: 4)


def policy(version: int, regenerate: str = "", **fields: object) -> MixPolicySet:
    told = {"weights": OUT, "held": (HELD,), **fields}
    return MixPolicySet(
        event_id="",
        occurred_at=0,
        version=version,
        alpha=0.0,
        set_by="",
        reason="",
        regenerate=tuple(regenerate),
        **told,  # type: ignore[arg-type]
    )


def taken(*policies: MixPolicySet) -> list[tuple[int, int]]:
    orders = Orders()
    for each in policies:
        orders.take(each)
    assert all((order.source, order.held) == ("a", (HELD,)) for order in orders.open)
    return [(order.after, order.version) for order in orders.open]


def test_an_order_is_given_once_however_often_it_is_renewed() -> None:
    assert taken(policy(3), policy(4, "a"), policy(4, "a"), policy(5, "a"), policy(6)) == [(NO_POLICY, 4)]


def test_a_policy_of_a_person_in_between_does_not_give_it_again() -> None:
    assert taken(policy(4, "a"), policy(5), policy(6, "a")) == [(NO_POLICY, 4)]


def test_a_new_alarm_on_probation_is_another_order_of_what_was_planned_since() -> None:
    assert taken(policy(4, "a"), policy(5, weights={"a": 0.1}), policy(6, "a")) == [(NO_POLICY, 4), (4, 6)]


def test_a_release_takes_the_order_back_and_a_return_does_not() -> None:
    assert taken(policy(4, "a"), policy(5, weights={}, held=())) == []
    assert taken(policy(4, "a"), policy(5, weights={}, held=(), dropped=(RETURNED,))) == [(NO_POLICY, 4)]


def test_an_alarm_after_a_release_gives_back_everything() -> None:
    assert taken(policy(4, "a"), policy(5, weights={"a": 1.0}, held=()), policy(6, "a")) == [(NO_POLICY, 6)]


def world_of(target: int = 15, **generate: object) -> World:
    return World(recipe(sources=SOURCES, target=target, **generate), seeds=SEEDS)


def by_waves() -> dict[str, Vendor]:
    return {name: Vendor(inline=True) for name in "ab"}


def begin(world: World, stages: list[Generator]) -> list[str]:
    """Let some calls be made and accepted, and others not be decided on; return the seeds of source a."""
    for stage in stages:
        stage.start()
    for most in (6, 2):
        for stage in stages:
            stage.step()
        world.verify(most)
    mine = [event for event in world.made() if event.sample.lineage.source.name == "a"]  # type: ignore[union-attr]
    seeds = [event.sample.lineage.seed_id or "" for event in mine]
    assert len(seeds) == len(set(seeds)) > 3
    return seeds


def finish(world: World, stages: list[Generator]) -> None:
    idle = 0
    while idle < 2:
        made = sum(stage.step() for stage in stages) + world.verify(5)
        idle = 0 if made else idle + 1


def asked(world: World, since: int = 0) -> dict[int, ModelAnswered]:
    """Return the last record of each call that was asked under a policy."""
    calls = [event for event in world.responses() if not event.choices]
    last = {event.call_index: event for event in sorted(calls, key=lambda event: event.attempt)}
    return {call: event for call, event in sorted(last.items()) if event.source.policy_version >= since}


def drawn(world: World) -> Counter[str | None]:
    return Counter(event.seed_id for event in asked(world, NO_POLICY).values())


@pytest.mark.parametrize("slots", [1, 3])
def test_the_seeds_of_held_and_undecided_samples_are_drawn_again_by_another_source_before_new_ones(slots: int) -> None:
    world = world_of(60, slots=slots)
    stages = [world.slot(by_waves(), slot) for slot in range(slots)]
    again = begin(world, stages)
    world.alarm(0, "a", ("a",))
    finish(world, stages)
    since = asked(world)
    assert {event.source.name for event in since.values()} == {"b"}
    for slot in range(slots):
        mine = [event.seed_id for event in since.values() if event.call_index % slots == slot]
        count = sum(seed in again for seed in mine)
        assert all(seed in again for seed in mine[:count])
        assert len(mine) > count
    assert {seed for seed, count in drawn(world).items() if count > 1} == set(again)
    assert max(drawn(world).values()) == 2


def test_without_the_order_nothing_is_drawn_again() -> None:
    world = world_of()
    stage = world.slot(by_waves())
    begin(world, [stage])
    world.alarm(0, "a", ())
    finish(world, [stage])
    assert max(drawn(world).values()) == 1
    assert len(asked(world)) > 5


def test_a_released_source_has_no_seed_drawn_again() -> None:
    world = world_of()
    stage = world.slot(by_waves())
    begin(world, [stage])
    world.alarm(0, "a", ("a",))
    world.policy(1, a=1.0)
    finish(world, [stage])
    assert max(drawn(world).values()) == 1


def test_slots_have_different_seeds_to_draw_again() -> None:
    world = world_of(60, slots=3)
    stages = [world.slot(by_waves(), slot) for slot in range(3)]
    again = begin(world, stages)
    world.alarm(0, "a", ("a",))
    for stage in stages:
        stage._folds[0].catch_up()
        stage._folds[1].catch_up()
    found = [key for stage in stages for key in stage._state.seeds_again()]
    assert sorted(found) == sorted(map(key_of, again))


def test_a_source_on_probation_does_not_draw_its_own_seeds_again_even_if_it_is_the_last() -> None:
    for weights, drawn_twice in (({"a": 1.0}, True), ({"a": 0.1, "b": 0.0}, False)):
        world = world_of(60)
        stage = world.slot(by_waves())
        again = begin(world, [stage])
        world.alarm(0, "a", ("a",))
        world.alarm(1, "a", (), weights)
        finish(world, [stage])
        since = asked(world)
        assert "a" in {event.source.name for event in since.values()}
        assert {event.source.name for event in since.values() if event.seed_id in again} == (
            {"b"} if drawn_twice else set()
        )
        assert (max(drawn(world).values()) == 2) == drawn_twice


def test_a_new_alarm_on_probation_gives_back_only_the_seeds_of_the_probation() -> None:
    world = world_of(60)
    stage = world.slot(by_waves())
    first = begin(world, [stage])
    world.alarm(0, "a", ("a",))
    world.alarm(1, "a", (), {"a": 1.0})
    for _ in range(5):
        stage.step()
        world.verify()
    then = [event.seed_id for event in asked(world).values() if event.source.name == "a"]
    assert len(then) > 3
    world.alarm(2, "a", ("a",))
    finish(world, [stage])
    assert {seed for seed, count in drawn(world).items() if count > 1} == {*first, *then}
    assert max(drawn(world).values()) == 2


def test_the_policy_of_the_order_is_the_first_that_its_calls_are_not_planned_under() -> None:
    world = world_of()
    stage = world.slot(by_waves())
    begin(world, [stage])
    drawn_by = Drawn()
    one = next(event for event in world.responses() if event.source.name == "a")
    for call, version in enumerate((3, 4, 5, 6)):
        drawn_by.note(replace(one, call_index=call, source=replace(one.source, policy_version=version)))
    assert list(drawn_by.planned("a", 4, 6)) == [1, 2]
    assert list(drawn_by.planned("b", 4, 6)) == []
    drawn_by.note(replace(one, call_index=1, source=replace(one.source, name="b", policy_version=5)))
    drawn_by.note(replace(one, call_index=2, source=replace(one.source, name="b", policy_version=4)))
    assert list(drawn_by.planned("a", 4, 6)) == [2]
    assert list(drawn_by.since(5, "a")) == [1]


def test_a_seed_is_found_by_its_key_though_the_pool_grows() -> None:
    world = world_of()
    stage = world.slot(by_waves())
    stage.start()
    stage.step()
    pool = stage._state.pool
    keys = {key_of(digest("seed", number)) for number in range(SEEDS)}
    for size in (SEEDS, SEEDS + 30):
        assert pool.size == size
        found = pool.find(keys | {1})
        assert found.keys() == keys
        assert all(key_of(pool.seed(number).sample_id) == key for key, number in found.items())
        world.seeds(30)
        world.now += 5_000
        stage.step()


def test_a_seed_whose_candidate_is_rejected_is_not_given_back() -> None:
    world = world_of(concurrency=20)
    stage = world.slot(by_waves())
    stage.start()
    stage.step()
    world.verify(fate=lambda _: "reject")
    world.alarm(0, "a", ("a",))
    finish(world, [stage])
    assert max(drawn(world).values()) == 1


@given(
    st.lists(st.tuples(st.integers(1, 60) | st.integers(60, 160), st.booleans()), max_size=5),
    st.lists(st.integers(1, 3), min_size=1, max_size=3),
)
@settings(deadline=None)
def test_kills_and_other_numbers_of_slots_let_no_seed_be_drawn_twice_or_never(
    kills: list[tuple[int, bool]], slots: list[int]
) -> None:
    world = world_of()
    again = begin(world, [world.slot(by_waves())])
    world.alarm(0, "a", ("a",))
    vendor = Vendor()
    for place, (at, after) in enumerate(kills):
        count = slots[place % len(slots)]
        world.recipe = recipe(sources=SOURCES, target=15, slots=count)
        lives(world, {"a": vendor, "b": vendor}, at, after=after, slot=place % count)
    world.recipe = recipe(sources=SOURCES, target=15)
    assert not lives(world, {"a": vendor, "b": vendor}, None, after=False)
    letters = [event for event in world.events("dead.verify") if isinstance(event, DeadLetter)]
    dead = [event for letter in letters if isinstance(event := CODEC.decode(letter.value or b""), SampleGenerated)]
    rejected = [event for event in world.events("reject") if isinstance(event, SampleRejected)]
    lost = {event.sample.lineage.seed_id for event in (*dead, *rejected)}
    counts = drawn(world)
    assert {seed for seed, count in counts.items() if count > 1} >= set(again) - lost
    assert {seed for seed, count in counts.items() if count > 1} <= set(again)
    assert max(counts.values()) == 2
    made = Counter(event.call_index for event in world.made())
    assert set(made.values()) == {1}
    assert {event.source.name for event in asked(world).values()} == {"b"}
    world.close()
