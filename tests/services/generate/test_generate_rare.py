"""Seeds of regions that synthetic text neglects: an eighth of the calls has one, and the rest are the plan's."""

from collections import Counter
from typing import Any

import numpy as np
import pytest
from generate_world import CODEC, Vendor, World, recipe
from hypothesis import given
from hypothesis import strategies as st
from stats_texts import documents as plays

from services import artefact
from services.generate import rare
from services.generate.plan import seed_number
from services.generate.rare import is_rare, rare_seed
from services.monitor.yardstick import Yardstick, human_documents
from services.reference import read
from streams.events import MixPolicySet, SampleIngested
from streams.parts import OPEN_END
from streams.samples import Lineage, Sample, Turn, digest
from streams.stats.cells import nearest
from streams.topics import name

SEEDS, TARGET = 300, 200


@given(st.integers(0, 100_000), st.integers(1, 3_000))
def test_one_call_in_eight_is_rare_wherever_one_begins(first: int, calls: int) -> None:
    assert abs(sum(map(is_rare, range(first, first + calls))) - calls / 8) <= 4


@given(st.integers(1, 200), st.integers(0, 5))
def test_no_pass_over_the_rare_seeds_draws_one_twice(count: int, turn: int) -> None:
    seeds = list(range(1_000, 1_000 + count))
    drawn = [rare_seed(call, seeds, "p") for call in range(turn * count, (turn + 1) * count)]
    assert sorted(drawn) == seeds


def world_of(sources: Any = None, words: int = 80, **generate: Any) -> World:
    world = World(recipe(target=TARGET, concurrency=50, sources=sources, **generate), seeds=0)
    world.seeds(SEEDS, lambda i: " ".join(plays()[2_000 + i].split()[:words]), lambda i: f"domain-{i % 5}")
    for number, text in enumerate(plays()[:900]):
        sample = Sample(
            sample_id=digest("reference", number),
            content_hash=digest(text),
            task="text",
            turns=(Turn(role="document", text=text),),
            lineage=Lineage(origin="HUMAN", generation=0),
        )
        part = "fit" if number % 3 == 0 else "calibrate"
        event = SampleIngested(event_id="", occurred_at=0, pool="reference", part=part, sample=sample)
        world.send("reference", sample.sample_id, event)
    world.now += 5_000
    return world


def policy(world: World, *neglected: int, version: int = 0, end: int = OPEN_END) -> MixPolicySet:
    event = MixPolicySet(
        event_id="",
        occurred_at=0,
        version=version,
        alpha=0.3,
        set_by="monitor",
        reason="",
        reference_version=1,
        reference_end=(end,) * world.broker.partitions()[name("p", "reference")],
        neglected=neglected,
    )
    world.send("policy", "", event)
    return event


def asked(world: World) -> dict[int, int]:
    """Let all calls be made, and return which seed each was asked with, by its number among the plays."""
    stage = world.slot({"a": Vendor()})
    stage.start()
    while stage.step() or len(world.made()) < TARGET:
        pass
    by_id = {digest("seed", i): i for i in range(SEEDS)}
    return {event.call_index: by_id[event.seed_id or ""] for event in world.responses() if event.choices}


def regions_of(world: World, made: MixPolicySet) -> list[int]:
    """Return the region of each seed as the monitor has it."""
    parts = read(world.broker, CODEC, "p", made)
    fitted = artefact.build(1, parts["fit"])
    yardstick = Yardstick(human_documents(fitted, parts["calibrate"], 100), 100)
    seeds = [event.sample for event in world.events("seed") if isinstance(event, SampleIngested)]
    found = nearest(fitted.documents(seeds).vectors.astype(np.float64), yardstick.regions.centres).tolist()
    places = {sample.sample_id: place for sample, place in zip(seeds, found, strict=True)}
    return [places[digest("seed", i)] for i in range(SEEDS)]


def test_calls_draw_neglected_regions_more_and_else_what_the_plan_has() -> None:
    plain, more = world_of(), world_of()
    of = regions_of(more, policy(more))
    rare_ones = {place for place, count in Counter(of).items() if count <= SEEDS // 60}
    policy(more, *rare_ones, version=1)
    before, after = asked(plain), asked(more)
    assert {call for call in after if after[call] != before[call]} <= set(filter(is_rare, after))
    shares = [sum(of[seed] in rare_ones for seed in seeds.values()) / TARGET for seeds in (before, after)]
    assert all(of[seed] in rare_ones for call, seed in after.items() if is_rare(call))
    assert shares[1] == pytest.approx(1 / 8 + 7 / 8 * shares[0], abs=0.02)


@pytest.mark.parametrize("slots", [1, 2])
def test_with_quotas_rare_seeds_of_each_stratum_come_besides_its_passes(
    slots: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.generate.dispatcher.FIRST_SIZE", 40)
    quotas = {"targets": {"domain-0": 150, "domain-1": 50}}  # of 60 seeds each, so passes end in between
    world, by_id = world_of(quotas=quotas, slots=slots), {digest("seed", i): i for i in range(SEEDS)}
    of = regions_of(world, policy(world))
    rare_ones = {place for place, count in Counter(of).items() if count <= SEEDS // 20}
    assert {i % 5 for i in range(SEEDS) if of[i] in rare_ones} >= {0, 1}, "the test has rare seeds in both"
    policy(world, *rare_ones, version=1)
    while len(world.made()) < TARGET:  # each round a new process, as after a kill
        for slot in range(slots):
            stage = world.slot({"a": Vendor(inline=True)}, slot)
            stage.start()
            stage.step()
            world.end(stage)
    asked = {event.call_index: event for event in world.responses() if event.choices}
    seeds = {call: by_id[event.seed_id or ""] for call, event in asked.items()}
    assert Counter(seed % 5 for seed in seeds.values()) == {0: 150, 1: 50}
    assert {call for call, event in asked.items() if event.is_rare} == set(filter(is_rare, asked))
    assert all(of[seeds[call]] in rare_ones for call, event in asked.items() if event.is_rare)
    drawn = Counter(seeds[call] for call, event in asked.items() if not event.is_rare)
    for stratum in (0, 1):
        counts = [drawn[seed] for seed in range(stratum, SEEDS, 5)]
        assert max(counts) - min(counts) <= 1, "passes draw each seed once"


def test_calls_are_the_plans_without_such_regions_and_where_no_seed_lies_in_them() -> None:
    for place in ((), (99,)):
        world = world_of()
        policy(world, *place)
        found, stage = asked(world), world.slot({"a": Vendor()})
        stage.start()
        stage.step()
        seeds = stage._state.pool
        ids = {call: seeds.seed(seed_number(call, SEEDS, "p")).sample_id for call in found}
        assert ids == {call: digest("seed", number) for call, number in found.items()}


@pytest.mark.parametrize(
    ("sources", "neglected"), [(None, ()), ([{"name": "a", "provider": "local", "family": "a"}], (1,))]
)
def test_nothing_is_loaded_where_no_region_is_named_or_all_models_are_local(
    sources: Any, neglected: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(rare, "read")
    world = world_of(sources)
    policy(world, *neglected)
    assert len(asked(world)) == TARGET


@pytest.mark.parametrize(("words", "end"), [(80, 1), (20, OPEN_END)])
def test_the_plan_goes_on_where_the_reference_is_too_small_and_where_no_seed_has_words_enough(
    words: int, end: int
) -> None:
    world = world_of(words=words)
    policy(world, *range(24), end=end)
    assert len(set(asked(world).values())) == TARGET
