"""Budgets over the wire: what the vendor bills never exceeds them, however calls and processes end."""

import math
from collections.abc import Callable

import pytest
from generate_world import CODEC, World
from paid_world import made_of, run_until, source, world_of
from prometheus_client import generate_latest
from wire import Fault, Server

from services.books.spending import read
from services.generate.ledger import ledger
from services.generate.service import Generator
from services.recipe import RecipeError
from streams.errors import UnavailableError
from streams.events import DeadLetter
from streams.metrics import Metrics

Serve = Callable[..., Server]
HOUR = 3_600_000
BILL = (120 * 1 + 10 * 5) / 1e6  # dollars of a call, as the server counts tokens


def billed(server: Server) -> float:
    return sum(sale.tokens_in * 1 + sale.tokens_out * 5 for sale in server.ledger) / 1e6


def spent(stage: Generator) -> Callable[[], bool]:
    """Tell whether nothing is in flight or rests, and what did not fit into the budget does not fit now either."""
    dispatcher, state = stage._dispatcher, stage._state

    def is_so() -> bool:
        is_still = dispatcher.is_idle() and not state.answers and not dispatcher._retries.resting(dispatcher._clock())
        return is_still and "budget spent" in stage.why and bool(state.budgets.out(stage._context.now()))

    return is_so


def started(world: World, slot: int = 0, metrics: Metrics | None = None) -> Generator:
    stage = world.slot(None, slot, metrics=metrics)
    stage.start()
    return stage


@pytest.mark.parametrize("every", [9, 1_000])
def test_a_run_ends_within_its_budget_and_a_restart_buys_nothing_more(every: int, serve: Serve) -> None:
    server = serve(script={n: Fault(500) if n % 3 else Fault(cuts=True) for n in range(5, 80, every)})
    world, metrics = world_of(source(server), target=400, budget={"dollars": 0.05}), Metrics()
    stage = started(world, metrics=metrics)
    run_until(world, stage, spent(stage))
    assert 0.02 < billed(server) <= 0.05
    assert 20 < len(world.made()) < 400
    left = metrics.registry.get_sample_value("ballast_budget_remaining_dollars", {"stage": "generate"})
    assert left is not None
    assert metrics.registry.get_sample_value("ballast_budget_dollars", {"stage": "generate"}) == 0.05
    assert 0 <= left <= 0.05 - billed(server) + 1e-9  # what was cut off may have been billed
    world.end(stage)
    before, unanswered = len(server.seen), len(stage._state.unanswered())
    again = started(world)
    run_until(world, again, spent(again))
    assert len(server.seen) - before <= unanswered, "but for one that may cost less than the one that ended the run"
    assert billed(server) <= 0.05
    assert b"ballast_budget_remaining_dollars" in generate_latest(metrics.registry)


def test_a_refused_answer_that_was_billed_is_spent_as_the_vendor_bills_it(serve: Serve) -> None:
    server = serve(script={n: Fault(reason="refusal") for n in range(3, 80, 8)})
    world, metrics = world_of(source(server), target=40, budget={"dollars": 1}), Metrics()
    stage = started(world, metrics=metrics)
    run_until(world, stage, made_of(world, stage))
    refused = sum(number < len(server.seen) for number in server.script)
    assert refused > 4
    assert len(world.events("dead.generate")) == refused
    assert len(server.ledger) == 40 + refused
    assert stage._state.budgets.left() == pytest.approx(1 - billed(server))
    assert ledger(world.responses()) == []
    assert len({each.event_id for each in world.responses()}) == 2 * (40 + refused)
    (line,) = read(world.broker, CODEC, world.pipeline).lines
    assert (line.attempts, line.answered, line.refused) == (40 + refused, 40, refused)
    assert (line.dollars, line.at_risk) == (pytest.approx(billed(server)), pytest.approx(0))
    world.end(stage)
    again = started(world)
    assert again._state.budgets.left() == pytest.approx(1 - billed(server))


def test_an_answer_that_was_refused_before_a_kill_is_set_aside_and_not_bought_again(serve: Serve) -> None:
    server = serve(script={2: Fault(reason="refusal")})
    world = world_of(source(server, concurrency=2), target=10)
    stage = started(world)
    while not (bills := [each for each in world.responses() if not each.choices and each.source.tokens_in]):
        stage._dispatcher.run()
    world.bury(stage)
    again = started(world)
    run_until(world, again, made_of(world, again))
    (letter,) = world.events("dead.generate")
    assert isinstance(letter, DeadLetter)
    assert letter.call_index == bills[0].call_index
    assert "a broke its answer off" in letter.explanation
    assert server.sold.count(bills[0].prompt[-1].text) == 1
    assert again._state.billed == {}


def test_what_the_vendor_refuses_outright_is_given_back_also_after_a_restart(serve: Serve) -> None:
    server = serve(script={n: Fault(400, {"error": {"message": "no"}}) for n in range(10)})
    world = world_of(source(server), target=20, budget={"dollars": 1})
    stage = started(world)
    run_until(world, stage, made_of(world, stage))
    assert len(world.events("dead.generate")) == 10
    assert stage._state.budgets.left() == pytest.approx(1 - billed(server))
    world.end(stage)
    assert started(world)._state.budgets.left() == pytest.approx(1 - billed(server))


@pytest.mark.parametrize("status", [401, 402])
def test_a_vendor_that_refuses_all_calls_takes_nothing_of_a_budget_however_often_the_stage_starts_again(
    status: int, serve: Serve
) -> None:
    server = serve(script=dict.fromkeys(range(64), Fault(status, {"error": {"message": "no"}})))
    world = world_of(source(server), target=40, budget={"dollars": 0.03})
    while len(server.seen) < 50:
        stage = started(world)
        with pytest.raises(UnavailableError):
            stage.step()
        world.end(stage)
    assert started(world)._state.budgets.left() == pytest.approx(0.03)
    (line,) = read(world.broker, CODEC, world.pipeline).lines
    assert (line.refused, line.at_risk) == (line.attempts, 0)
    assert ledger(world.responses()) == []
    server.script = {}
    stage = started(world)
    run_until(world, stage, made_of(world, stage))
    assert stage._state.budgets.left() == pytest.approx(0.03 - billed(server))
    assert len(server.ledger) == 40


def test_slots_share_a_budget_and_together_stay_within_it(serve: Serve) -> None:
    server = serve()
    world = world_of(source(server), target=400, slots=2, budget={"tokens": 30_000})
    for slot in range(2):
        stage = started(world, slot)
        run_until(world, stage, spent(stage))
    tokens = sum(sale.tokens_in + sale.tokens_out for sale in server.ledger)
    assert 15_000 < tokens <= 30_000


def test_what_one_source_may_not_spend_another_is_asked_for(serve: Serve) -> None:
    server = serve()
    few = source(server, called="a", budget={"dollars": 0.01})
    world = world_of(few, source(server, called="b"), target=60)
    stage = started(world)
    run_until(world, stage, made_of(world, stage))
    sold = [sale.model for sale in server.ledger]
    assert 0 < sold.count("m-a") * BILL <= 0.01
    assert sold.count("m-b") == 60 - sold.count("m-a")


def test_an_hourly_budget_is_waited_for(serve: Serve) -> None:
    server = serve()
    world = world_of(source(server), target=120, budget={"dollars_per_hour": 0.01})
    stage = started(world)
    hours = 0
    while len(world.made()) < 120:
        run_until(world, stage, lambda: spent(stage)() or len(world.made()) >= 120)
        assert billed(server) <= 0.01 * (hours + 1)
        if stage.why != "target reached" and len(world.made()) < 120:
            assert stage.why == "hourly budget spent"
            hours += 1
            world.now += HOUR + 60_000
            stage.step()
    assert hours == pytest.approx(120 * BILL / 0.01, abs=3)


@pytest.mark.parametrize("kill_after", [3, 11, 24])
def test_killed_again_and_again_it_stays_within_its_budget(kill_after: int, serve: Serve) -> None:
    server = serve()
    world = world_of(source(server, concurrency=8), target=400, budget={"dollars": 0.03})
    for _ in range(100):
        stage, seen = started(world), len(server.seen)
        try:
            run_until(world, stage, lambda s=stage, n=seen: len(server.seen) >= n + kill_after or spent(s)())
            if spent(stage)():
                break
        finally:
            world.bury(stage)
    else:
        raise AssertionError("the budget is never spent")
    assert 0.005 < billed(server) <= 0.03


def test_a_budget_of_dollars_needs_prices() -> None:
    server_less = {"name": "a", "provider": "openai", "model": "m", "family": "f"}
    with pytest.raises(RecipeError, match="whose price is unknown; give its `price`, or a budget of tokens instead"):
        world_of(server_less, budget={"dollars": 1})
    with pytest.raises(RecipeError, match="source a, whose price is unknown"):
        world_of({**server_less, "budget": {"dollars_per_hour": 1}})
    assert world_of({**server_less, "budget": {"tokens": 1}}).recipe.sources[0].budget.tokens == 1
    local = {"name": "a", "provider": "local", "family": "f"}
    with pytest.raises(RecipeError, match="has budget, which provider local has not"):
        world_of({**local, "budget": {"tokens": 5}})
    assert math.isinf(World(world_of(local, budget={"tokens": 9}).recipe).slot(None)._state.budgets.left())
