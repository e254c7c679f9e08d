"""However slots interleave and wherever a process is killed: nothing is made twice and no money is lost unseen."""

from collections import Counter
from itertools import chain, count

from generate_world import Vendor, World, by_hash, lives, recipe, refusing
from hypothesis import given, settings
from hypothesis import strategies as st

from services.generate.ledger import ledger
from streams.events import DeadLetter, SampleGenerated

CONCURRENCY = 4
KILLS = st.lists(st.tuples(st.integers(1, 60) | st.integers(60, 160), st.booleans()), max_size=6)


@given(KILLS, st.booleans())
@settings(deadline=None)
def test_kills_lose_nothing_double_nothing_and_the_ledger_names_what_was_bought_twice(
    kills: list[tuple[int, bool]], inline: bool
) -> None:
    world = World(recipe(target=20, concurrency=CONCURRENCY))
    vendor = Vendor(refusing(5, 6), inline=inline)
    in_flight = 500 if inline else CONCURRENCY
    killed = sum(lives(world, {"a": vendor}, at, after=after) for at, after in kills)
    assert not lives(world, {"a": vendor}, None, after=False)
    made = [event for event in world.events("generate") if isinstance(event, SampleGenerated)]
    assert len(world.events("verify")) == 20
    assert len({event.sample.sample_id for event in made}) == len(made)
    assert sum(vendor.bought.values()) <= len(vendor.bought) + killed * in_flight
    entries = {entry.call_index: entry for entry in ledger(world.responses())}
    twice = {call for call, count in vendor.bought.items() if count > 1}
    assert twice <= set(entries)
    assert all(entries[call].asked >= vendor.bought[call] for call in twice)
    assert sum(entry.asked - 1 for entry in entries.values()) <= killed * in_flight
    answers = Counter(event.call_index for event in world.responses() if event.choices)
    assert set(answers.values()) == {1}
    assert set(answers) == set(vendor.bought) == {event.call_index for event in made}
    letters = [event.call_index for event in world.events("dead.generate") if isinstance(event, DeadLetter)]
    assert sorted(letters) == [5, 6]
    world.close()


def test_a_kill_between_an_answer_and_its_storing_is_the_one_that_buys_again() -> None:
    doubled = set()
    for at in range(60, 120):
        world, vendor = World(recipe(target=8, concurrency=CONCURRENCY)), Vendor()
        lives(world, {"a": vendor}, at, after=False)
        lives(world, {"a": vendor}, None, after=False)
        twice = sum(vendor.bought.values()) - len(vendor.bought)
        assert twice <= CONCURRENCY
        doubled.add(twice > 0)
        world.close()
    assert doubled == {True, False}


@given(
    st.integers(1, 4),
    st.integers(1, 25),
    st.sampled_from([1.0, 2.5, 4.0, 30.0]),
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 6), st.booleans()), max_size=40),
)
@settings(deadline=None)
def test_outstanding_candidates_of_all_slots_never_exceed_what_is_still_wanted(
    slots: int, target: int, over: float, schedule: list[tuple[int, int, bool]]
) -> None:
    world = World(recipe(target=target, slots=slots, over_generate=over))
    vendor = Vendor(refusing(3), inline=True)
    stages = [world.slot({"a": vendor}, slot) for slot in range(slots)]
    for stage in stages:
        stage.start()
    idle = 0
    for number, (turn, verdicts, decide) in enumerate(chain(schedule, ((turn, 50, True) for turn in count()))):
        made = stages[turn % slots].step()
        assert world.outstanding() <= target - world.given["verify"]
        assert len(vendor.bought) <= target * over
        given = world.verify(verdicts, by_hash(0.5, "reject", "review", "dead"))
        given += world.decide(by_hash(0.8, "reject")) if decide else 0
        idle = 0 if made + given or number < len(schedule) else idle + 1  # later every slot has its turn
        if idle > 2 * slots:
            break
    whys = {stage.why for stage in stages}
    assert whys <= {"target reached", "candidate cap reached", "waiting for other slots"}
    assert (world.given["verify"] == target) == (whys == {"target reached"})
    assert world.given["verify"] == target or "candidate cap reached" in whys
    calls = [event.call_index for event in world.made()]
    assert len(calls) == len(set(calls))
    assert set(vendor.bought.values()) <= {1}
    world.close()


def test_after_a_change_of_the_number_of_slots_exactly_the_target_is_reached() -> None:
    for before, after in ((1, 2), (3, 1), (2, 5)):
        world, vendor = World(recipe(target=30, slots=before)), Vendor()
        stage = world.slot({"a": vendor}, before - 1)
        stage.start()
        for _ in range(3):
            stage.step()
            world.verify(fate=by_hash(0.7, "reject"))
        world.recipe = recipe(target=30, slots=after)
        stages = [world.slot({"a": vendor}, slot) for slot in range(after)]
        for stage in stages:
            stage.start()
        for _ in range(40):
            for stage in stages:
                stage.step()
            world.verify(fate=by_hash(0.7, "reject"))
        assert len(world.events("verify")) == 30
        assert set(vendor.bought.values()) == {1}
