"""Strata have exactly what was wanted of each, however slots interleave and wherever a process is killed."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain, count
from typing import Any

import pytest
from generate_world import CODEC, Vendor, World, by_hash, lives, recipe, refusing
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.generate.service import Generator
from services.generate.strata import Strata
from streams.events import DeadLetter, Event, SampleRejected, SampleVerified

CONCURRENCY = 4
KILLS = st.lists(st.tuples(st.integers(1, 60) | st.integers(60, 160), st.booleans()), max_size=3)


def world_of(targets: dict[str, int], seeds: int = 10, by: str = "domain", **generate: Any) -> World:
    quotas = {"by": by, "targets": targets}
    return World(recipe(target=sum(targets.values()), quotas=quotas, concurrency=CONCURRENCY, **generate), seeds=seeds)


def domains(events: Sequence[Event]) -> Counter[str]:
    return Counter(event.sample.tags["domain"] for event in events)  # type: ignore[union-attr]


def source(event: Any) -> str:
    return str(event.sample.lineage.source.name)


def dead(world: World) -> list[Event]:
    letters = [event for event in world.events("dead.verify") if isinstance(event, DeadLetter)]
    return [CODEC.decode(letter.value or b"") for letter in letters]


def begin(world: World, slots: int = 1, vendor: Vendor | None = None) -> list[Generator]:
    stages = [world.slot({"a": vendor or Vendor()}, slot) for slot in range(slots)]
    for stage in stages:
        stage.start()
    return stages


def finish(world: World, stages: list[Generator], fate: Any = lambda _: "verify") -> None:
    idle = 0
    while idle < 2:
        made = sum(stage.step() for stage in stages) + world.verify(5, fate)
        idle = 0 if made else idle + 1


@pytest.mark.parametrize("slots", [1, 3])
def test_each_stratum_has_its_target_and_nothing_is_made_for_others(slots: int) -> None:
    world = world_of({"domain-0": 13, "domain-1": 4}, slots=slots)
    world.seeds(5, domain=lambda _: "domain-2")
    world.now += 5_000
    stages = begin(world, slots)
    finish(world, stages)
    assert domains(world.events("verify")) == domains(world.events("generate")) == {"domain-0": 13, "domain-1": 4}
    assert {stage.why for stage in stages} == {"target reached"}
    first = [event for event in world.made() if (event.call_index or 0) < 5 * slots]
    assert len(domains(first)) == 2, "the strata come in turn"


def test_labels_are_strata_too() -> None:
    world = world_of({"label-0": 3, "label-2": 6}, seeds=30, by="label", task="classification")
    (stage,) = begin(world)
    finish(world, [stage])
    asked = [event for event in world.responses() if event.choices]
    assert Counter(event.seed.label for event in asked if event.seed) == {"label-0": 3, "label-2": 6}


@pytest.mark.parametrize("slots", [1, 2])
def test_every_pass_draws_each_seed_of_a_stratum_once(slots: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.generate.dispatcher.FIRST_SIZE", 3)
    monkeypatch.setattr("services.generate.dispatcher.next_size", lambda *_: 3)
    world, vendor = world_of({"domain-0": 15, "domain-1": 10}, slots=slots), Vendor(inline=True)
    stages = begin(world, slots, vendor)
    for _ in range(3):
        for slot, stage in enumerate(stages):
            stage.step()
            world.end(stage)
            stages[slot] = world.slot({"a": vendor}, slot)
            stages[slot].start()
    finish(world, stages)
    drawn = Counter(event.seed_id for event in world.responses() if event.choices)
    assert sorted(drawn.values()) == [2] * 5 + [3] * 5


def test_a_stratum_without_seeds_is_told_and_the_others_go_on_until_it_has_some() -> None:
    world = world_of({"letters": 3, "domain-1": 4})
    (stage,) = begin(world)
    finish(world, [stage])
    assert domains(world.made()) == {"domain-1": 4}
    assert stage.why == "no seed of domain letters"
    world.seeds(2, domain=lambda _: "letters")
    world.now += 5_000
    finish(world, [stage])
    assert domains(world.made()) == {"domain-1": 4, "letters": 3}
    assert stage.why == "target reached"


def test_a_stratum_that_is_always_rejected_takes_no_calls_from_the_others() -> None:
    world = world_of({"domain-0": 8, "domain-1": 4}, over_generate=1.5)
    (stage,) = begin(world)
    stage.step()
    good = [event.sample.sample_id for event in world.made() if event.sample.tags["domain"] == "domain-1"][:3]
    world.verify(fate=lambda sample: "verify" if sample.sample_id in good else "reject")
    finish(world, [stage], lambda sample: "reject" if sample.tags["domain"] == "domain-0" else "verify")
    assert domains(world.made()) == {"domain-0": 12, "domain-1": 5}
    assert stage.why == "candidate cap reached"


def test_what_waits_in_review_counts_for_its_stratum() -> None:
    world = world_of({"domain-0": 4, "domain-1": 4})
    (stage,) = begin(world)
    finish(world, [stage], lambda sample: "review" if sample.tags["domain"] == "domain-0" else "verify")
    assert domains(world.made()) == {"domain-0": 4, "domain-1": 4}
    assert stage.why == "only review is waiting"
    world.decide(lambda _: "reject")
    finish(world, [stage])
    assert domains(world.events("verify")) == {"domain-0": 4, "domain-1": 4}


def test_a_person_who_edits_a_sample_or_its_domain_moves_no_call_to_another_stratum() -> None:
    world = world_of({"domain-0": 4, "domain-1": 4})
    (stage,) = begin(world)
    stage.step()

    sample = next(event.sample for event in world.made() if event.sample.tags["domain"] == "domain-0")
    rejected = SampleRejected(event_id="r", occurred_at=0, reasons=("edited",), sample=sample)
    moved = replace(sample, sample_id="e", label="other", tags={"domain": "domain-1"})
    world.send("reject", "x", rejected)
    world.send("verify", "x", SampleVerified(event_id="v", occurred_at=0, sample=moved))
    finish(world, [stage], lambda each: "dead" if each.sample_id == sample.sample_id else "verify")
    assert domains(world.made()) == {"domain-0": 4, "domain-1": 4}
    assert stage.why == "target reached"


def test_a_run_without_quotas_goes_on_with_them_and_counts_what_it_has() -> None:
    world = World(recipe(target=6))
    (stage,) = begin(world)
    finish(world, [stage])
    before = domains(world.events("verify"))
    world.end(stage)
    world.recipe = recipe(target=9, quotas={"targets": {"domain-0": 9}})
    finish(world, begin(world))
    assert domains(world.events("verify")) == {**before, "domain-0": 9}


def test_a_replayed_call_is_asked_again_only_where_its_stratum_has_room() -> None:
    world = world_of({"domain-0": 3, "domain-1": 3})
    (stage,) = begin(world, vendor=Vendor(refusing(0), inline=True))
    stage.step()
    (letter,) = (each for each in world.events("dead.generate") if isinstance(each, DeadLetter))
    stage.step()
    stage._dispatcher._providers = {"a": Vendor(inline=True)}
    world.verify(fate=lambda sample: "verify" if sample.tags["domain"] == "domain-0" else "reject")
    world.send("redo.generate", letter.event_id, letter.value or b"")
    finish(world, [stage])
    assert domains(world.made()) == {"domain-0": 3, "domain-1": 6}
    assert stage._state.strata.number(0) == 0
    assert stage._state.replays == {0}


def test_seeds_that_an_alarm_gives_back_are_drawn_again_within_what_their_strata_want() -> None:
    sources = [{"name": name, "provider": "local", "family": name} for name in "ab"]
    targets = {"domain-0": 12, "domain-1": 6}
    world = World(recipe(target=18, sources=sources, quotas={"targets": targets}), seeds=400)
    stage = world.slot({name: Vendor(inline=True) for name in "ab"})
    stage.start()
    while stage.step():
        pass
    world.verify(fate=lambda sample: "verify" if sample.tags["domain"] == "domain-0" else "review")
    held = {event.sample.lineage.seed_id for event in world.made() if source(event) == "a"}
    world.alarm(0, "a", ("a",))
    finish(world, [stage])
    assert domains(world.made())["domain-1"] == 6
    world.decide()
    finish(world, [stage])
    assert domains([event for event in world.events("verify") if source(event) == "b"]) == targets
    drawn = Counter(event.seed_id for event in world.responses() if event.choices)
    assert {seed for seed, count in drawn.items() if count > 1} == held


@example(kills=[(1, False), (95, False), (58, False)], inline=False, slots=[1, 1, 2])
@given(KILLS, st.booleans(), st.lists(st.integers(1, 3), min_size=1, max_size=3))
@settings(deadline=None)
def test_kills_and_other_numbers_of_slots_change_no_strata(
    kills: list[tuple[int, bool]], inline: bool, slots: list[int]
) -> None:
    targets = {"domain-0": 8, "domain-1": 3}
    told: dict[str, Any] = {
        "target": 11,
        "quotas": {"targets": targets},
        "concurrency": CONCURRENCY,
        "over_generate": 30,
    }
    world, vendor = World(recipe(**told)), Vendor(refusing(2, 5), inline=inline)
    for place, (at, after) in enumerate(kills):
        number = slots[place % len(slots)]
        world.recipe = recipe(**told, slots=number)
        lives(world, {"a": vendor}, at, after=after, slot=place % number)
        stage = world.slot({"a": vendor}, place % number)
        stage.start()  # else what was killed leaves a transaction open for ever
        world.end(stage)
    world.recipe = recipe(**told)
    assert not lives(world, {"a": vendor}, None, after=False)
    assert domains(world.events("verify")) == targets
    calls = [event.call_index for event in world.made()]
    assert len(calls) == len(set(calls))
    again = Strata(world.recipe.generate.quotas, lambda _: True)
    for event in reversed(world.responses()):
        again.note(event)
    (stage,) = begin(world)
    assert stage._state.strata.numbers().tolist() == again.numbers().tolist()
    assert sorted(stage._state.strata.keys) == sorted(again.keys)
    assert stage.step() == 0
    world.close()


@example(slots=3, wanted=[5, 1], over=2.5, schedule=[])
@given(
    st.integers(1, 4),
    st.lists(st.integers(1, 9), min_size=2, max_size=2),
    st.sampled_from([1.0, 2.5, 30.0]),
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 6), st.booleans()), max_size=30),
)
@settings(deadline=None)
def test_outstanding_candidates_of_a_stratum_never_exceed_what_is_still_wanted_of_it(
    slots: int, wanted: list[int], over: float, schedule: list[tuple[int, int, bool]]
) -> None:
    targets = {f"domain-{number}": target for number, target in enumerate(wanted)}
    world = world_of(targets, slots=slots, over_generate=over)
    stages = begin(world, slots, Vendor(refusing(3), inline=True))
    idle = 0
    for number, (turn, verdicts, decide) in enumerate(chain(schedule, ((turn, 50, True) for turn in count()))):
        made = stages[turn % slots].step()
        gone = domains(world.events("reject")) + domains(dead(world))
        accepted = domains(world.events("verify"))
        for domain, target in targets.items():
            ever = domains(world.made())[domain]
            assert ever - gone[domain] - accepted[domain] <= target - accepted[domain]
            assert ever <= target * over
        judged = world.verify(verdicts, by_hash(0.5, "reject", "review", "dead"))
        judged += world.decide(by_hash(0.8, "reject")) if decide else 0
        idle = 0 if made + judged or number < len(schedule) else idle + 1
        if idle > 2 * slots:
            break
    whys = {stage.why for stage in stages}
    assert whys <= {"target reached", "candidate cap reached", "waiting for other slots"}
    assert (domains(world.events("verify")) == targets) == (whys == {"target reached"})
    world.close()
