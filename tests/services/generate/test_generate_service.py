from collections import Counter
from dataclasses import replace

import pytest
from generate_world import Vendor, World, by_hash, recipe, refusing

from services.generate.ledger import ledger
from services.generate.service import Generator
from services.generate.state import FACTS
from services.models.provider import Request
from streams.broker import Record
from streams.errors import DeadLetterLimitError, FatalError, UnavailableError
from streams.events import DeadLetter, MixPolicySet, ModelAnswered, SampleRejected, SampleVerified
from streams.fold import Fold
from streams.parts import OPEN_END, SourceRange
from streams.samples import digest
from streams.topics import name


def run(world: World, stage: Generator, steps: int = 200) -> None:
    """Step and verify in turn until nothing happens."""
    for _ in range(steps):
        if stage.step() + world.verify() == 0 and stage._dispatcher.is_idle():
            return
    raise AssertionError("the run does not end")


def test_exactly_the_target_is_accepted_and_the_run_says_why_it_ends() -> None:
    world, vendor = World(recipe(target=20)), Vendor()
    stage = world.slot({"a": vendor})
    stage.start()
    for _ in range(200):
        if stage.step() + world.verify(3, by_hash(0.5, "reject", "dead")) == 0:
            break
    assert len(world.events("verify")) == 20
    assert stage.why == "target reached"
    assert len(vendor.bought) == len(world.made()) > 20
    assert set(vendor.bought.values()) == {1}


def test_the_candidate_cap_ends_a_run_whose_candidates_are_all_rejected() -> None:
    world, vendor = World(recipe(target=10, over_generate=3.5)), Vendor()
    stage = world.slot({"a": vendor})
    stage.start()
    for _ in range(100):
        stage.step()
        world.verify(fate=lambda _: "reject")
    assert len(vendor.bought) == 35
    assert stage.why == "candidate cap reached"


def test_what_waits_in_review_counts_as_outstanding_until_a_person_decides() -> None:
    world = World(recipe(target=8))
    stage = world.slot({"a": Vendor()})
    stage.start()
    for _ in range(20):
        stage.step()
        world.verify(fate=lambda _: "review")
    assert len(world.made()) == 8
    assert stage.why == "only review is waiting"
    world.decide(lambda _: "reject")
    run(world, stage)
    assert len(world.events("verify")) == 8
    assert len(world.made()) == 16


def test_an_edit_counts_once_though_its_candidate_is_rejected() -> None:
    world = World(recipe(target=4))
    stage = world.slot({"a": Vendor()})
    stage.start()
    stage.step()
    sample = world.made()[0].sample
    world.send("reject", "x", SampleRejected(event_id="r", occurred_at=0, reasons=("edited",), sample=sample))
    assert stage.step() == 0
    world.send("verify", "x", SampleVerified(event_id="v", occurred_at=0, sample=sample))
    assert stage.step() == 0
    assert stage.why == "waiting for verdicts"


def test_a_candidate_has_its_lineage_from_the_seed_and_the_call() -> None:
    world = World(recipe(target=3))
    stage = world.slot({"a": Vendor()})
    stage.start()
    stage.step()
    for event in world.made():
        lineage, source = event.sample.lineage, event.sample.lineage.source
        assert source is not None
        assert (lineage.origin, lineage.generation, lineage.parent_ids) == ("SYNTHETIC", 1, (lineage.seed_id,))
        number = next(i for i in range(10) if digest("seed", i) == lineage.seed_id)
        assert event.sample.tags == {"domain": f"domain-{number % 2}"}
        assert (source.name, source.model_id, source.tokens_in, source.tokens_out, source.cost) == (
            "a", "stub-1", 3, 4, 0.5,
        )  # fmt: skip
        assert source.call_index == event.call_index
        assert lineage.recipe is not None
        assert lineage.recipe.version == world.recipe.version
        assert event.sample.turns[0].text == f"text {event.call_index}"


def test_a_chat_candidate_holds_the_prompt_and_the_answer() -> None:
    world = World(recipe(target=1, task="chat"))
    stage = world.slot({"a": Vendor()})
    stage.start()
    stage.step()
    (event,) = world.made()
    assert [turn.role for turn in event.sample.turns] == ["user", "assistant"]
    assert event.sample.turns[0].text.startswith("seed number")


def test_a_refused_call_is_a_dead_letter_with_its_call_index_and_is_replaced() -> None:
    world = World(recipe(target=5))
    stage = world.slot({"a": Vendor(refusing(2))})
    stage.start()
    run(world, stage)
    (letter,) = world.events("dead.generate")
    assert isinstance(letter, DeadLetter)
    assert (letter.call_index, letter.error, letter.stage) == (2, "RefusedError", "generate")
    assert {event.call_index for event in world.made()} == {0, 1, 3, 4, 5}


def test_a_refused_call_is_not_asked_again_after_a_restart() -> None:
    world, vendor = World(recipe(target=5)), Vendor(refusing(2))
    stage = world.slot({"a": vendor})
    stage.start()
    run(world, stage)
    again = world.slot({"a": vendor})
    again.start()
    assert again.step() == 0
    assert ledger(world.responses()) == []


def test_a_replayed_dead_letter_is_asked_again_as_soon_as_there_is_room() -> None:
    world, calm = World(recipe(target=5)), Vendor(inline=True)
    stage = world.slot({"a": Vendor(refusing(1, 3), inline=True)})
    stage.start()
    stage.step()
    letters = {letter.call_index: letter for letter in world.events("dead.generate") if isinstance(letter, DeadLetter)}
    assert set(letters) == {1, 3}
    world.send("redo.generate", letters[3].event_id, letters[3].value or b"")
    for restarted in (False, True):
        stage = world.slot({"a": calm}) if restarted else stage
        stage._dispatcher._providers = {"a": calm}
        if restarted:
            stage.start()
        run(world, stage)
        assert {event.call_index for event in world.made()} == {0, 2, 3, 4, 5}
    assert calm.bought[3] == 1
    assert {event.attempt for event in world.responses() if event.call_index == 3} == {1, 2}


def test_a_call_that_is_refused_after_its_replay_needs_another_replay() -> None:
    world, vendor = World(recipe(target=3)), Vendor(refusing(1))
    stage = world.slot({"a": vendor})
    stage.start()
    stage.step()
    (letter,) = world.events("dead.generate")
    world.send("redo.generate", letter.event_id, b"")
    run(world, stage)
    letters = world.events("dead.generate")
    assert len({letter.event_id for letter in letters}) == 2
    again = world.slot({"a": vendor})
    again.start()
    run(world, again)
    assert len(world.events("dead.generate")) == 2
    assert {event.call_index for event in world.made()} == {0, 2, 3}


def test_what_another_slot_has_asked_is_outstanding_and_left_to_it() -> None:
    world, vendor = World(recipe(target=20, slots=2)), Vendor()
    other = world.slot({"a": vendor}, 1)
    other.start()
    other._dispatcher.run()  # its answers are stored, and it is killed before it writes their candidates
    world.bury(other)
    stage = world.slot({"a": vendor}, 0)
    stage.start()
    assert stage._state.calls.all.asked == len(vendor.bought) > 0
    run(world, stage)
    assert {event.call_index % 2 for event in world.made() if event.call_index is not None} == {0}
    again = world.slot({"a": vendor}, 1)
    again.start()
    run(world, again)
    assert len(world.events("verify")) == len(world.made()) == 20
    assert set(vendor.bought.values()) == {1}


def test_too_many_refusals_stop_the_stage_before_there_are_more_dead_letters_than_are_allowed() -> None:
    world = World(recipe(target=1_000, concurrency=200))
    stage = world.slot({"a": Vendor(refusing(*range(1_000)))})
    stage.start()
    with pytest.raises(DeadLetterLimitError):
        run(world, stage, 1_000)
    assert len(world.events("dead.generate")) <= stage._context.dead_letter_limit


def test_an_unreachable_vendor_stops_the_stage_and_keeps_what_others_answered() -> None:
    world = World(recipe(target=8, concurrency=4))

    def away(request: Request) -> None:
        if request.call_index == 1:
            raise UnavailableError("the vendor is away; try later")

    vendor, calm = Vendor(away), Vendor()
    stage = world.slot({"a": vendor})
    stage.start()
    with pytest.raises(UnavailableError):
        stage.step()
    world.end(stage)
    assert {0, 2, 3} <= set(vendor.bought)
    assert world.events("dead.generate") == []
    again = world.slot({"a": calm})
    again.start()
    assert again.step() == len(vendor.bought)
    assert calm.bought == {}
    run(world, again)
    assert set(calm.bought) == set(range(8)) - set(vendor.bought)
    assert [event.call_index for event in world.responses() if event.unbilled] == [1]
    assert ledger(world.responses()) == [], "a vendor that refuses all calls has sold none"


def test_stored_answers_are_emitted_as_stored_even_if_the_source_is_gone() -> None:
    world = World(recipe(target=4))

    def late(request: Request) -> None:
        if request.call_index == 3:
            raise UnavailableError("away")

    stage = world.slot({"a": Vendor(late)})
    stage.start()
    with pytest.raises(UnavailableError):
        stage.step()
    world.end(stage)
    world.recipe = recipe(target=4, sources=[{"name": "b", "provider": "local", "family": "b"}])
    again = world.slot({"b": Vendor()})
    again.start()
    run(world, again)
    names = {event.call_index: event.sample.lineage.source.name for event in world.made()}  # type: ignore[union-attr]
    assert names == {0: "a", 1: "a", 2: "a", 3: "b"}


def test_backpressure_stops_at_unverified_plus_unmixed_and_goes_on_when_the_mix_does() -> None:
    world = World(recipe(target=100, in_flight=10))
    stage = world.slot({"a": Vendor()})
    stage.start()
    for _ in range(20):
        stage.step()
    assert len(world.made()) == 10
    assert stage.why == "waiting for verify and mix"
    world.verify()
    for _ in range(5):
        world.now += 1_000
        stage.step()
    assert len(world.made()) == 10
    world.mixed(3, 0)
    world.mixed(7, 1)
    world.now += 1_000
    for _ in range(5):
        stage.step()
    assert len(world.made()) == 17


def test_what_a_policy_keeps_out_of_the_mix_holds_nobody_back() -> None:
    world = World(recipe(target=100, in_flight=10))
    stage = world.slot({"a": Vendor()})
    stage.start()
    for _ in range(20):
        stage.step()
    world.verify()
    held = (SourceRange(source="a", from_offset=0, to_offset=1 << 62),)
    policy = MixPolicySet(
        event_id="0", occurred_at=0, version=0, alpha=0.3, set_by="monitor", reason="changed", held=held
    )
    world.send("policy", "", policy)
    for _ in range(20):
        world.now += 1_000
        stage.step()
    assert len(world.made()) == 20


@pytest.mark.parametrize("slots", [1, 2])
def test_what_a_policy_keeps_out_of_the_mix_does_not_count_for_the_target_unless_it_is_released(slots: int) -> None:
    sources = [{"name": name, "provider": "local", "family": name} for name in "ab"]
    world = World(recipe(target=20, slots=slots, sources=sources))
    stages = [world.slot({"a": Vendor(), "b": Vendor()}, slot) for slot in range(slots)]
    for stage in stages:
        stage.start()

    def made_by() -> Counter[str]:
        idle = 0
        while idle < 3:
            world.now += 1_000
            idle = 0 if sum(stage.step() for stage in stages) + world.verify() else idle + 1
        return Counter(str(event.sample.lineage.source and event.sample.lineage.source.name) for event in world.made())

    before = made_by()
    assert before.total() == 20
    held = (SourceRange(source="a", from_offset=0, to_offset=OPEN_END),)
    for version, ranges in enumerate(((), held, ())):
        weights = {"a": 0.0} if ranges else {}
        policy = MixPolicySet(
            event_id=str(version),
            occurred_at=0,
            version=version,
            alpha=0.3,
            set_by="monitor",
            reason="changed",
            weights=weights,
            held=ranges,
        )
        world.send("policy", "", policy)
        made = made_by()
        assert made == before if not version else made == Counter(a=before["a"], b=20)
    assert {stage.why for stage in stages} == {"target reached"}


def test_ingested_candidates_do_not_count_for_the_target() -> None:
    world = World(recipe(target=4))
    stage = world.slot({"a": Vendor()})
    stage.start()
    stage.step()
    event = world.made()[0]
    foreign = replace(event.sample, sample_id="f", lineage=replace(event.sample.lineage, source=None))
    world.send("generate", "f", replace(event, call_index=None, sample=foreign))
    world.verify()
    run(world, stage)
    assert len(world.events("verify")) == 5
    assert len(world.made()) == 5


def test_records_that_are_delivered_again_change_nothing() -> None:
    world = World(recipe(target=4))
    stage = world.slot({"a": Vendor()})
    stage.start()
    stage.step()
    world.verify(fate=by_hash(0.5, "reject"))
    records: list[Record] = []
    for word in (*FACTS, "response"):
        fold = Fold(world.broker, [name(world.pipeline, word)], records.extend)
        fold.catch_up()
    stage._state.fold(records)
    state = stage._state
    before = (state.accepted, state.calls.all, dict(state._asked), dict(state.answers), state.pool.settle(world.now))
    state.fold(records[::-1])
    assert (state.accepted, state.calls.all, state._asked, state.answers, state.pool.settle(world.now)) == before
    assert state.accepted == world.given["verify"]


def test_a_record_that_is_no_event_is_passed_over() -> None:
    world = World(recipe(target=4))
    for word in ("generate", "verify", "reject", "review", "response", "dead.generate", "seed"):
        world.send(word, "x", b"no event")
    world.now += 5_000
    stage = world.slot({"a": Vendor()})
    stage.start()
    assert stage.step() == 4
    assert stage._state.accepted == 0
    assert stage._state.pool.size == 10


def test_a_source_of_weight_zero_is_not_asked_and_a_policy_changes_weights_at_once() -> None:
    sources = [{"name": n, "provider": "local", "family": n} for n in ("a", "b")]
    world = World(recipe(target=60, sources=sources))
    vendors = {"a": Vendor(inline=True), "b": Vendor(inline=True)}
    world.policy(1, a=0.0)
    stage = world.slot(vendors)
    stage.start()
    stage.step()
    assert (len(vendors["a"].bought), len(vendors["b"].bought)) == (0, 8)
    world.policy(2, b=0.0)
    stage.step()
    assert (len(vendors["a"].bought), len(vendors["b"].bought)) == (16, 8)
    world.policy(3, a=0.0, b=0.0)
    assert stage.step() == 0
    assert stage.why == "no source has a weight above 0"


def test_nothing_is_generated_before_the_seeds_have_come_to_rest() -> None:
    world = World(recipe(target=4), seeds=0)
    stage = world.slot({"a": Vendor()})
    stage.start()
    assert stage.step() == 0
    world.seeds(3)
    world.now += 4_999
    assert stage.step() == 0
    assert stage.why == "waiting for seeds"
    world.now += 1
    assert stage.step() == 4


def test_a_second_process_of_a_slot_fences_the_first() -> None:
    world = World(recipe(target=8))
    first, second = world.slot({"a": Vendor()}), world.slot({"a": Vendor()})
    first.start()
    second.start()
    with pytest.raises(FatalError):
        first.step()
    run(world, second)
    assert len(world.events("verify")) == 8


def test_local_models_make_documents_of_their_seeds_words() -> None:
    local = [{"name": "a", "provider": "local", "family": "a"}]
    world = World(recipe(target=30, max_tokens=9, sources=local), seeds=20)
    stage = world.slot(None)
    stage.start()
    run(world, stage)
    words = {word for i in range(20) for word in f"seed number {i} has words".split()}
    for event in world.made():
        text = event.sample.turns[0].text.split()
        assert len(text) == 9
        assert set(text) <= words
        assert event.sample.lineage.source is not None
        assert event.sample.lineage.source.model_id.startswith("ngram-3-")


def test_calls_of_judges_are_none_of_the_plan() -> None:
    world, vendor = World(recipe(target=4)), Vendor()
    first = world.slot({"a": vendor})
    first.start()
    first.step()
    for event in [event for event in world.responses() if event.call_index == 1]:
        for call in (event.call_index, 5):
            world.send("response", "k", replace(event, purpose="judge", call_index=call, event_id=f"j{call}"))
    again = world.slot({"a": vendor})
    again.start()
    run(world, again)
    assert set(vendor.bought) == {event.call_index for event in world.made()} == {0, 1, 2, 3}
    everything = [event for event in world.events("response") if isinstance(event, ModelAnswered)]
    assert len(everything) > len(world.responses())
    assert ledger(everything) == []
