import time
from collections.abc import Callable

import pytest
from generate_world import Vendor, World, by_hash, recipe

from services.generate.draws import AsPlanned
from services.generate.ledger import ledger
from services.generate.service import Generator
from streams.errors import FatalError
from streams.kafka import KafkaBroker


def test_slots_on_a_real_broker_reach_the_target_exactly_though_their_processes_are_replaced(
    bootstrap: str, unique: Callable[[str], str]
) -> None:
    world = World(recipe(target=40, slots=2, pipeline=unique("g")), broker=KafkaBroker(bootstrap))
    world.now = int(time.time() * 1000) + 10_000
    vendor = Vendor()
    stages = [world.slot({"a": vendor}, slot) for slot in range(2)]
    for stage in stages:
        stage.start()
    for turn in range(300):
        stages[turn % 2].step()
        world.verify(5, by_hash(0.6, "reject", "dead"))
        assert world.outstanding() <= 40 - world.given["verify"]
        if turn == 4:  # a process that hangs, and comes back when its slot is taken
            zombie, stages[0] = stages[0], world.slot({"a": vendor})
            stages[0].start()
        if {stage.why for stage in stages} == {"target reached"}:
            break
    assert world.given["verify"] == 40
    calls = [event.call_index for event in world.made()]
    assert len(calls) == len(set(calls))
    assert set(vendor.bought.values()) == {1}
    assert ledger(world.responses()) == []
    draws = zombie._planner._draws
    assert isinstance(draws, AsPlanned)
    draws._limits = draws._limits._replace(own_target=100, target=200, own_calls=400, calls=800)
    with pytest.raises(FatalError):
        steps(zombie, 20)
    assert len(world.made()) == len(calls)


def steps(stage: Generator, number: int) -> None:
    for _ in range(number):
        stage.step()
