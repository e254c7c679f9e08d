from dataclasses import replace

from generate_world import CODEC, Vendor, World, by_hash, recipe, refusing
from hypothesis import given, settings
from hypothesis import strategies as st

from services.books.strata import read
from streams.events import SampleRejected, SampleVerified

QUOTAS = {"domain-1": 7, "domain-0": 9}


@given(st.lists(st.tuples(st.integers(0, 6), st.booleans()), max_size=6))
@settings(deadline=None, max_examples=25)
def test_each_call_is_counted_where_generate_itself_counts_it(schedule: list[tuple[int, bool]]) -> None:
    world = World(recipe(target=16, quotas={"targets": QUOTAS}))
    stage = world.slot({"a": Vendor(refusing(1, 4), inline=True)})
    stage.start()
    for verdicts, decides in schedule:
        stage.step()
        world.verify(verdicts, by_hash(0.4, "reject", "review", "dead"))
        if decides:
            world.decide(by_hash(0.5, "reject"))
    for fold in stage._folds:
        fold.catch_up()
    found, state = read(world.broker, CODEC, "p", world.recipe.generate.quotas), stage._state
    counted = state.calls.by_stratum(state.strata.numbers(), 2, state.kept_out())
    assert [each.counts for each in found] == [everyone for _, everyone in counted]
    assert [(each.name, each.target) for each in found] == list(QUOTAS.items())
    world.close()


def test_an_edit_counts_as_accepted_and_what_is_no_event_as_nothing() -> None:
    world = World(recipe(target=16, quotas={"targets": QUOTAS}))
    stage = world.slot({"a": Vendor(inline=True)})
    stage.start()
    stage.step()
    sample = world.made()[0].sample
    world.send("reject", "x", SampleRejected(event_id="r", occurred_at=0, reasons=("edited",), sample=sample))
    before = read(world.broker, CODEC, "p", world.recipe.generate.quotas)
    assert sum(each.counts.lost for each in before) == 0
    world.send("verify", "x", SampleVerified(event_id="v", occurred_at=0, sample=sample))
    world.send("verify", "y", b"no event")
    after = read(world.broker, CODEC, "p", world.recipe.generate.quotas)
    assert sum(each.counts.accepted for each in after) == 1


def test_a_call_that_has_no_answer_yet_is_asked_and_one_of_a_judge_is_none() -> None:
    world = World(recipe(target=16, quotas={"targets": QUOTAS}))
    stage = world.slot({"a": Vendor(inline=True)})
    stage.start()
    stage.step()
    asked = next(event for event in world.responses() if not event.choices)
    world.send("response", "x", replace(asked, event_id="x", call_index=40))
    world.send("response", "y", replace(asked, event_id="y", call_index=41, purpose="judge"))
    found = read(world.broker, CODEC, "p", world.recipe.generate.quotas)
    assert sum(each.counts.asked for each in found) == 1


def test_without_quotas_there_are_no_strata() -> None:
    assert read(World().broker, CODEC, "p", None) == []
