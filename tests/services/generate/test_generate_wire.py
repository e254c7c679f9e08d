"""Paid sources by their own SDKs against a server that speaks their protocols and keeps books."""

import logging
from collections import Counter
from collections.abc import Callable

import pytest
from paid_world import KEY, Clock, made_of, run_until, source, told, world_of
from wire import Fault, Server

from services.generate.ledger import ledger
from streams.errors import UnavailableError
from streams.fold import Fold

BOTH = pytest.mark.parametrize("provider", ["openai", "anthropic"])


@BOTH
def test_a_paid_source_makes_candidates_whose_lineage_says_what_was_asked_and_what_it_cost(
    serve: Callable[..., Server], provider: str
) -> None:
    server = serve()
    world = world_of(source(server, provider, top_p=0.9, temperature=0.5, max_tokens=77), target=3)
    stage = world.slot(None)
    stage.start()
    run_until(world, stage, made_of(world, stage))
    for event in world.made():
        lineage = event.sample.lineage.source
        assert lineage is not None
        assert (lineage.name, lineage.provider, lineage.model_id, lineage.model_generation) == ("a", provider, "m-a", 0)
        assert (lineage.temperature, lineage.top_p, lineage.tokens_in, lineage.tokens_out) == (0.5, 0.9, 120, 10)
        assert lineage.cost == pytest.approx(170e-6)
        asked, answer = event.sample.turns
        assert (answer.role, asked.role) == ("assistant", "user")
        assert answer.text.startswith("said <part-")
        assert f"\n{asked.text}\n" in answer.text
    assert {(seen.body["top_p"], seen.body["max_tokens"]) for seen in server.seen} == {(0.9, 77)}
    assert told(server, world) == (0, 0, pytest.approx(3 * 170e-6))


def test_nine_tenths_of_what_a_source_may_have_are_in_flight_all_the_time(serve: Callable[..., Server]) -> None:
    """The server answers only while as many are: who waits for the slowest call, or for the next step, stands still."""
    server = serve(limit=200)
    world = world_of(source(server, concurrency=200), target=450, seeds=450)
    stage = world.slot(None)
    stage.start()
    lane = stage._dispatcher._lanes["a"]
    server.is_held = lambda in_flight: in_flight < 0.9 * lane._throttle.limit and len(server.ledger) < 400 - in_flight
    assert stage.step() == 450
    assert lane._throttle.limit == 200
    assert 180 <= server.most_in_flight <= 200
    assert server.refused == 0
    assert max(Counter(server.sold).values()) == 1
    assert told(server, world)[:2] == (0, 0)


@BOTH
@pytest.mark.parametrize("pause", [{}, {"Retry-After": "0.1"}])
def test_rate_limited_calls_wait_and_are_bought_once_and_announced_once(
    serve: Callable[..., Server], provider: str, pause: dict[str, str]
) -> None:
    busy = Fault(429, {"error": {"message": "slow down"}}, pause)
    server = serve(limit=5, seconds=0.01, script=dict.fromkeys((3, 9, 30), busy))
    world = world_of(source(server, provider), target=60)
    stage = world.slot(None)
    stage.start()
    run_until(world, stage, made_of(world, stage))
    assert server.refused > 0
    assert Counter(Counter(server.sold).values()) == {1: 60}
    assert sorted(event.call_index or 0 for event in world.made()) == list(range(60))
    assert len(world.responses()) == 120
    assert ledger(world.responses()) == []
    assert world.events("dead.generate") == []
    assert told(server, world)[:2] == (0, 0)
    assert stage._dispatcher._lanes["a"]._throttle.limit < 32


@BOTH
def test_what_may_have_been_billed_is_another_attempt_that_the_ledger_names(
    serve: Callable[..., Server], provider: str
) -> None:
    faults = [Fault(500, "oops"), Fault(cuts=True), Fault(200, "{half"), Fault(hangs=True), Fault(200, {})]
    server = serve(script={7 * number: fault for number, fault in enumerate(faults, 1)})
    world = world_of(source(server, provider, seconds=2, concurrency=4), target=50)
    stage = world.slot(None)
    stage.start()
    run_until(world, stage, made_of(world, stage))
    twice = {entry.call_index: entry for entry in ledger(world.responses())}
    assert [entry.asked for entry in twice.values()] == [2] * 5
    assert sorted(event.call_index or 0 for event in world.made()) == list(range(50))
    assert world.events("dead.generate") == []
    rebought = [text for text, count in Counter(server.sold).items() if count > 1]
    assert len(rebought) == 1  # the connection that was cut: the only answer that was made and did not reach us
    asked = {event.prompt[-1].text for event in world.responses() if event.call_index in twice}
    assert set(rebought) <= asked
    assert told(server, world)[:2] == (120, 10)


def test_local_sources_go_on_beside_paid_ones_in_the_proportion_of_the_weights(serve: Callable[..., Server]) -> None:
    server = serve()
    local = {"name": "l", "provider": "local", "family": "ngram"}
    world = world_of(source(server), local, target=100)
    stage = world.slot(None)
    stage.start()
    run_until(world, stage, made_of(world, stage))
    sources = Counter(e.sample.lineage.source.name for e in world.made() if e.sample.lineage.source is not None)
    assert abs(sources["a"] - sources["l"]) <= 4
    assert Counter(server.sold).total() == sources["a"]


@BOTH
@pytest.mark.parametrize("status", [401, 404, 402])
def test_what_would_meet_every_call_stops_the_stage_with_one_sentence_and_keeps_what_was_bought(
    serve: Callable[..., Server], provider: str, status: int
) -> None:
    server = serve(script={5: Fault(status, {"error": {"message": f"no, {KEY}"}})}, seconds=0.01)
    world = world_of(source(server, provider, concurrency=3))
    stage = world.slot(None)
    stage.start()
    with pytest.raises(UnavailableError, match=r"^(The|.*account)") as caught:
        run_until(world, stage, made_of(world, stage))
    assert KEY not in str(caught.value)
    world.end(stage)
    assert told(server, world)[:2] == (0, 0)
    again = world.slot(None)
    again.start()
    run_until(world, again, made_of(world, again))
    assert max(Counter(server.sold).values()) == 1


def test_a_stage_that_ends_waits_for_calls_in_flight_and_stores_their_answers(
    serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.generate.dispatcher._SECONDS", 0.25)
    server = serve()
    server.is_held = lambda _: True
    world = world_of(source(server, concurrency=4), target=20)
    stage = world.slot(None)
    stage.start()
    assert stage.step() == 0
    assert not stage._dispatcher.is_idle()
    server.is_held = lambda _: False
    world.end(stage)
    assert len(server.sold) == len([event for event in world.responses() if event.choices]) == 4
    again = world.slot(None)
    again.start()
    assert again.step() == 4
    run_until(world, again, made_of(world, again))
    assert max(Counter(server.sold).values()) == 1
    assert ledger(world.responses()) == []


@BOTH
def test_a_key_that_a_server_tells_is_in_no_record_no_log_and_no_error(
    serve: Callable[..., Server], provider: str, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    said = {"type": "error", "error": {"message": f"not with {KEY}"}}
    faults = [Fault(429, said), Fault(500, said), Fault(cuts=True), Fault(400, said), Fault(200, KEY)]
    server = serve(script=dict(enumerate([*faults, *[Fault(500, said)] * 12], 3)))
    world = world_of(source(server, provider, concurrency=2), target=12)
    world.clock = clock = Clock()
    caplog.set_level(logging.DEBUG)
    stage = world.slot(None)
    stage.start()
    for _ in range(60):
        stage.step()
        clock.now += 100
    assert KEY in str(server.seen[0].headers)
    assert len(world.made()) == 12
    assert len(world.events("dead.generate")) == 1
    records: list[bytes] = []
    for topic in world.broker.partitions():
        Fold(world.broker, [topic], lambda some: records.extend(each.value for each in some)).catch_up()
    shown = b"".join(records).decode(errors="replace") + "".join(capfd.readouterr()) + caplog.text
    assert "not with ********" in shown
    assert "breaker" in shown
    assert KEY not in shown
