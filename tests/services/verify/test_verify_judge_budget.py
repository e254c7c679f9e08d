"""The budget of judges over the wire: what they bill never exceeds it, and what it can't bear waits for a person."""

import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from crashing import Crash, CrashingBroker
from hypothesis import given, settings
from hypothesis import strategies as st
from idling import until_idle
from judge_world import OURS, THEIRS, Books, answer, drained, judged, made_by, over_the_wire
from verify_world import CODEC, NOW, events, fates, put, text, world
from wire import Fault, Server

from services.books.spending import read
from services.models.cost import worst
from services.models.faults import TroubleError
from services.models.provider import Answer, RefusedError, Request
from services.recipe import Judge, RecipeError
from services.verify.judge_calls import Wanted
from streams.errors import UnavailableError
from streams.memory import MemoryBroker
from streams.metrics import Metrics
from streams.parts import Choice

PRICES = (1.0, 5.0)
CASES = [made_by("ngram", n, text(n)) for n in range(8)]
WORST = max(worst(Wanted(one, Judge(**OURS), again=True).request, PRICES) for one in CASES)
DOLLARS = WORST.dollars or 0.0
SPENT = "Judge q has no opinion: its budget is spent."

Serve = Callable[..., Server]


@pytest.fixture(autouse=True, scope="module")
def without_pauses() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("services.models.patience.LONGEST_PAUSE", 0.0)
        yield


@pytest.fixture
def serve() -> Iterator[Serve]:
    servers: list[Server] = []

    def made(**settings: Any) -> Server:
        servers.append(Server(lambda _: answer(), bills=lambda _: (WORST.tokens - 1_100, 900), **settings))
        return servers[-1]

    yield made
    for one in servers:
        one.close()


def billed(server: Server) -> float:
    return sum(sale.tokens_in * 1 + sale.tokens_out * 5 for sale in server.ledger) / 1e6


def run(broker: Any, server: Server, metrics: Metrics | None = None, **settings: Any) -> None:
    stage = over_the_wire(broker, server, "openai", metrics, **settings)
    stage.start()
    until_idle(stage)


def gauges(metrics: Metrics) -> list[float | None]:
    names = ("ballast_budget_dollars", "ballast_budget_remaining_dollars")
    return [metrics.registry.get_sample_value(each, {"stage": "verify"}) for each in names]


def told(broker: MemoryBroker) -> list[str]:
    return [event.verdicts[-1].explanation for event in events(broker, "review")]


def test_a_spent_budget_leaves_the_rest_to_people_and_a_restart_buys_nothing_more(serve: Serve) -> None:
    server, broker, metrics, budget = serve(), world(), Metrics(), {"dollars": 3.2 * DOLLARS}
    put(broker, "generate", CASES[:6])
    run(broker, server, metrics, budget=budget)
    assert len(server.ledger) == 3
    assert billed(server) <= budget["dollars"]
    assert Counter(word for _, word in fates(broker)) == {"verify": 3, "review": 3}
    assert told(broker) == [SPENT] * 3
    assert events(broker, "dead.verify") == []
    assert gauges(metrics) == pytest.approx([budget["dollars"], budget["dollars"] - billed(server)])
    put(broker, "generate", CASES[6:])
    again = Metrics()
    run(broker, server, again, budget=budget)
    assert len(server.seen) == 3
    assert told(broker) == [SPENT] * 5
    assert gauges(again) == gauges(metrics)


def test_what_is_read_again_counts_once(serve: Serve) -> None:
    server, broker, metrics = serve(), world(), Metrics()
    put(broker, "generate", CASES[:2])
    stage: Any = over_the_wire(broker, server, "openai", metrics, budget={"dollars": 9 * DOLLARS})
    stage.start()
    until_idle(stage)
    before = gauges(metrics)
    calls = next(check for check in stage._handler._checks.costly if check.name == "judge")._calls
    for _ in range(2):
        calls._fold = None  # so that it begins anew
        calls.ask([])
    assert gauges(metrics) == before == pytest.approx([9 * DOLLARS, 9 * DOLLARS - billed(server)])


def test_raised_it_goes_on_with_what_was_spent(serve: Serve) -> None:
    server, broker = serve(), world()
    put(broker, "generate", CASES[:2])
    run(broker, server, budget={"dollars": 1.1 * DOLLARS})
    put(broker, "generate", CASES[2:6])
    run(broker, server, budget={"dollars": 3.2 * DOLLARS})
    assert len(server.ledger) == 3
    assert Counter(word for _, word in fates(broker)) == {"verify": 3, "review": 3}


def test_what_may_have_been_billed_stays_taken_and_stands_in_the_books(serve: Serve) -> None:
    server, broker, metrics = serve(script={0: Fault(cuts=True), 2: Fault(429, "")}), world(), Metrics()
    put(broker, "generate", CASES[:1])
    run(broker, server, metrics, budget={"dollars": 3.2 * DOLLARS})
    (line,) = read(broker, CODEC, "p").lines
    assert (line.attempts, line.answered, line.refused) == (2, 1, 0)
    assert (line.dollars, line.at_risk) == pytest.approx((billed(server) / 2, DOLLARS), rel=0.05)
    put(broker, "generate", CASES[1:2])
    run(broker, server, metrics, budget={"dollars": 3.2 * DOLLARS})
    (later,) = read(broker, CODEC, "p").lines
    assert (later.attempts, later.answered, later.refused) == (4, 2, 1)
    assert later.at_risk == line.at_risk
    assert gauges(metrics)[1] == pytest.approx(3.2 * DOLLARS - (later.dollars or 0) - (later.at_risk or 0))


def test_an_hour_frees_an_hourly_budget(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    server, broker, budget = serve(), world(), {"tokens_per_hour": round(1.5 * WORST.tokens)}
    for hour in range(2):
        monkeypatch.setattr("verify_world.NOW", NOW + hour * 61 * 60_000)
        put(broker, "generate", CASES[2 * hour : 2 * hour + 2])
        run(broker, server, budget=budget)
        assert len(server.ledger) == hour + 1
    assert told(broker) == ["Judge q has no opinion: its hourly budget is spent."] * 2


def test_slots_have_equal_parts_and_together_stay_within_it(serve: Serve) -> None:
    server, broker, budget = serve(), world(), {"dollars": 4.4 * DOLLARS}
    for slot in range(2):
        put(broker, "generate", CASES[4 * slot : 4 * slot + 4])
        run(broker, server, slot=slot, slots=2, budget=budget)
        assert len(server.ledger) == 2 * (slot + 1)
    assert billed(server) <= budget["dollars"]


@pytest.mark.parametrize("kills", [[40, 44, 47], [52, 60, 45], [66, 41, 43, 50], [75, 90]])
def test_killed_again_and_again_it_stays_within_its_budget_and_nothing_is_lost(kills: list[int], serve: Serve) -> None:
    server = serve(script={n: Fault(500) if n % 2 else Fault(cuts=True) for n in range(1, 30, 4)})
    broker, budget, killed = world(), {"dollars": 5.5 * DOLLARS}, 0
    put(broker, "generate", CASES)
    for at in [*kills, None]:
        try:
            run(CrashingBroker(broker, at), server, budget=budget)
        except Crash:
            killed += 1
        assert billed(server) <= budget["dollars"]
    assert killed == len(kills)
    assert Counter(sample_id for sample_id, _ in fates(broker)) == Counter(one.sample_id for one in CASES)
    heard = {each.parent_ids[0] for each in events(broker, "response") if each.choices}
    assert {sample_id for sample_id, word in fates(broker) if word == "verify"} <= heard
    assert told(broker) == [SPENT] * len(told(broker)) != []


class Dear(Books):
    """A judge that bills the worst or a part of it, by its own books also where its answer does not arrive."""

    def __init__(self, ends: list[tuple[float, str]]) -> None:
        super().__init__()
        self.dollars = 0.0
        self._ends = itertools.cycle(ends)

    def answer(self, request: Request) -> Answer:
        with self._lock:
            part, end = next(self._ends)
            bill = worst(request, PRICES)._replace(dollars=part * (worst(request, PRICES).dollars or 0))
            self.dollars += 0 if end in ("rate_limited", "refused") else bill.dollars or 0
        if end == "refused":
            raise RefusedError("not nice")
        if end != "answered":
            raise TroubleError("away", end)  # type: ignore[arg-type]
        return Answer((Choice(text=answer()),), bill.tokens, 0, bill.dollars)


KILLS = st.lists(st.integers(25, 120), max_size=4)
ENDS = st.lists(
    st.tuples(st.sampled_from([0.25, 0.5, 1.0]), st.sampled_from(["timeout", "failed", "rate_limited", "refused"])),
    max_size=4,
)


@settings(max_examples=40, deadline=None)
@given(KILLS, ENDS, st.floats(0.5, 12), st.integers(1, 2))
def test_however_it_is_killed_and_judges_fail_their_books_stay_within_the_budget_and_nothing_unseen_is_accepted(
    kills: list[int], ends: list[tuple[float, str]], calls: float, votes: int
) -> None:
    broker, budget = world(), {"dollars": calls * DOLLARS}
    books = {called: Dear([(1.0, "answered"), *ends, (0.25, "answered")]) for called in "qc"}
    put(broker, "generate", CASES)
    price = {"price": {"input": PRICES[0], "output": PRICES[1]}}
    chosen = judged({**OURS, **price}, {**THEIRS, **price}, votes=votes, budget=budget)
    for at in [*kills, *[None] * 4]:
        with suppress(Crash, UnavailableError):  # a call may meet eight failures in a row
            drained(CrashingBroker(broker, at), chosen, **books)
        assert sum(each.dollars for each in books.values()) <= budget["dollars"] * (1 + 1e-12)
    assert Counter(sample_id for sample_id, _ in fates(broker)) == Counter(one.sample_id for one in CASES)
    heard = Counter(each.parent_ids[0] for each in events(broker, "response") if each.choices)
    assert all(heard[sample_id] == votes for sample_id, word in fates(broker) if word == "verify")


def test_a_budget_of_dollars_needs_the_prices_of_judges() -> None:
    for budget in ({"dollars": 1}, {"dollars_per_hour": 1}):
        with pytest.raises(
            RecipeError, match="holds for judge q, whose price is unknown; give its `price`, or a budget"
        ):
            judged(budget=budget)
    assert judged(budget={"tokens": 1}).verify.budget.tokens == 1
    assert judged({**OURS, "price": {"input": 1, "output": 5}}, budget={"dollars": 1}).verify.budget.dollars == 1
