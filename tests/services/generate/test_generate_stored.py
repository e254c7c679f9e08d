"""What was asked and answered is stored before anything is made of it, on a log that has it only once it is flushed."""

import pytest
from generate_world import Vendor, World, recipe
from lazy import Lazy


@pytest.mark.parametrize("inline", [True, False])
def test_calls_are_stored_before_they_are_made_and_answers_before_candidates(inline: bool) -> None:
    world = World(recipe(target=20, concurrency=4))
    lazy = world.broker = Lazy(world.broker)  # type: ignore[assignment]
    before = []
    vendor = Vendor(lambda _: before.append(lazy.waiting), inline=inline)
    stage = world.slot({"a": vendor})
    stage.start()
    while len(world.made()) < 20:
        stage.step()
    assert lazy.at_begin
    assert not any(lazy.at_begin)
    assert before[0] == 0
    assert inline is False or not any(before)
