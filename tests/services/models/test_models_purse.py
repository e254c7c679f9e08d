"""The budget of judges: what is billed never exceeds it, however calls, bills and processes end."""

import threading
from dataclasses import replace
from typing import Any

import pytest
from asking import Asking
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from pydantic import SecretStr

from services.models.endpoint import Endpoint
from services.models.faults import TroubleError
from services.models.provider import Answer, FilteredError, Model, RefusedError, Request
from services.models.purse import Purse, SpentError
from services.models.records import again, answered, begun, bill_of, is_asked, unbilled
from services.recipe import Budget
from streams.errors import UnavailableError
from streams.events import ModelAnswered
from streams.parts import Choice
from streams.samples import Source, Turn

MINUTE, HOUR = 60_000, 3_600_000
SOURCE = Source(
    name="q",
    provider="openai",
    model_id="m",
    family="f",
    model_generation=0,
    prompt_hash="",
    request_key="",
    call_index=-1,
)


def asked(key: object, dollars: float, slot: int = 0, at: int = 0, attempt: int = 1) -> ModelAnswered:
    return ModelAnswered(
        event_id="e",
        occurred_at=at,
        request_key=str(key),
        purpose="judge",
        call_index=-1,
        slot=slot,
        source=SOURCE,
        task="text",
        prompt=(),
        choices=(),
        attempt=attempt,
        asked_at=at,
        worst_tokens=round(dollars * 1_000),
        worst_cost=dollars,
    )


def paid(record: ModelAnswered, dollars: float) -> ModelAnswered:
    return answered(record, Answer((Choice(text="so"),), round(dollars * 1_000), 0, dollars), 0)


def test_what_is_open_counts_as_the_worst_what_is_billed_as_the_bill_and_what_is_refused_as_nothing() -> None:
    purse = Purse(Budget(dollars=1), 0, 1)
    first, second, third = (asked(key, 0.25) for key in "abc")
    for record in (first, second, third):
        purse.note(record)
    assert purse.left() == pytest.approx(0.25)
    purse.note(paid(first, 0.125))
    purse.note(unbilled(second, 0))
    assert purse.left() == pytest.approx(0.625)
    without_bill = FilteredError("broken off", Answer(()))
    assert bill_of(third, without_bill, 0) is None
    bill = bill_of(third, FilteredError("broken off", Answer((), 60, 2, 0.0625)), 0)
    assert bill is not None
    purse.note(bill)
    assert purse.left() == pytest.approx(0.8125)


def test_an_attempt_that_was_cut_off_stays_taken_when_the_next_one_is_answered() -> None:
    purse, first = Purse(Budget(dollars=1), 0, 1), asked("a", 0.25)
    second = begun(again(first), 5)
    assert (second.attempt, second.asked_at) == (2, 5)
    for record in (first, second, paid(second, 0.125)):
        purse.note(record)
    assert purse.left() == pytest.approx(0.625)


def test_what_was_noted_and_is_read_back_counts_once_and_what_others_wrote_counts_too() -> None:
    purse, mine, theirs = Purse(Budget(dollars=1), 0, 1), asked("a", 0.25), asked("b", 0.5)
    for record in (mine, paid(mine, 0.125)):
        purse.note(record)
    for record in (mine, paid(mine, 0.125), theirs):
        purse.read(record)
    assert purse.left() == pytest.approx(0.375)


@pytest.mark.parametrize(("slots_before", "slots"), [(1, 2), (2, 1), (2, 3)])
def test_other_slots_than_before_have_together_no_more_than_what_is_left(slots_before: int, slots: int) -> None:
    log = [asked(f"{slot}", 0.75 / slots_before, slot) for slot in range(slots_before)]
    for slot in range(slots):
        purse = Purse(Budget(dollars=1), slot, slots)
        for record in log:
            purse.read(record)
        while purse.short(more := asked(f"{slot}-{len(log)}", 0.03125, slot), 0) is None:
            purse.note(more)
            log.append(more)
    assert 0.875 < sum(record.worst_cost or 0 for record in log) <= 1


class Spending(RuleBasedStateMachine):
    """Two slots that read late and end at any time, and a vendor that bills up to the worst, answered or not."""

    LIMITS = Budget(dollars=3, tokens=2_500, dollars_per_hour=1)

    def __init__(self) -> None:
        super().__init__()
        self.log: list[ModelAnswered] = []
        self.bills: dict[tuple[str, int], tuple[int, float]] = {}  # what the vendor's books say, and when it was asked
        self.in_flight: list[tuple[int, ModelAnswered, float]] = []
        self.now = 0
        self.purses = [Purse(self.LIMITS, slot, 2) for slot in range(2)]
        self.seen = [0, 0]

    @rule(minutes=st.integers(0, 45))
    def time_goes(self, minutes: int) -> None:
        self.now += minutes * MINUTE

    @rule(slot=st.integers(0, 1))
    def read(self, slot: int) -> None:
        for record in self.log[self.seen[slot] :]:
            self.purses[slot].read(record)
        self.seen[slot] = len(self.log)

    @rule(
        slot=st.integers(0, 1),
        worst=st.sampled_from([0.125, 0.25, 0.5]),
        billed=st.sampled_from([0.0, 0.5, 1.0]),
        is_stored=st.booleans(),
    )
    def ask(self, slot: int, worst: float, billed: float, is_stored: bool) -> None:
        record = asked(len(self.log), worst, slot, self.now)
        assume(self.purses[slot].short(record, self.now) is None)
        self.purses[slot].note(record)
        self.log.append(record)
        if not is_stored:
            self.kill(slot)  # before the call is made
            return
        self.bills[record.request_key, record.attempt] = (self.now, worst * billed)
        self.in_flight.append((slot, record, worst * billed))

    @rule(data=st.data(), end=st.sampled_from(["answered", "refused", "cut off"]))
    def end(self, data: st.DataObject, end: str) -> None:
        assume(self.in_flight)
        slot, record, bill = self.in_flight.pop(data.draw(st.integers(0, len(self.in_flight) - 1)))
        if end == "cut off" or (end == "answered" and not bill):
            return
        if end == "refused":
            del self.bills[record.request_key, record.attempt]
        told = unbilled(record, self.now) if end == "refused" else paid(record, bill)
        self.purses[slot].note(told)
        self.log.append(told)

    @rule(slot=st.integers(0, 1))
    def kill(self, slot: int) -> None:
        self.in_flight = [each for each in self.in_flight if each[0] != slot]
        self.purses[slot], self.seen[slot] = Purse(self.LIMITS, slot, 2), 0
        self.read(slot)

    @invariant()
    def no_budget_is_ever_exceeded(self) -> None:
        assert sum(dollars for _, dollars in self.bills.values()) <= 3
        assert sum(1_000 * dollars for _, dollars in self.bills.values()) <= 2_500
        assert sum(dollars for at, dollars in self.bills.values() if at > self.now - HOUR) <= 1


TestSpending = Spending.TestCase


class Bills:
    """A model that does what it is told to, call by call, and moves the clock."""

    inline = False

    def __init__(self, *ends: Exception | float, takes: float = 0.0) -> None:
        self.asking: Any = None
        self.count, self._ends, self._takes = 0, list(ends), takes

    def model(self) -> Model:
        return Model("m", 0)

    def answer(self, _: Request) -> Answer:
        self.count += 1
        self.asking.now += self._takes
        end = self._ends.pop(0)
        if isinstance(end, Exception):
            raise end
        return Answer((Choice(text="so"),), 10, 2, end)


def asking(model: Bills, budget: Budget) -> Asking:
    where = Endpoint("q", "openai", "m", "http://q/v1", SecretStr(""), "", (100.0, 100.0), 5)
    model.asking = Asking(model, where, budget)
    return model.asking


def call(key: str) -> Request:
    return Request(key, -1, "m", (Turn(role="user", text="x" * 34),), None, 50)  # 100 tokens, 0.01 dollars at worst


@given(st.integers(1, 6))
def test_what_does_not_fit_beside_others_waits_for_their_bills(calls: int) -> None:
    model = Bills(*[0.001] * calls)
    answers, refusals = asking(model, Budget(dollars=0.016)).ask([call(f"{n}") for n in range(calls)])
    assert (len(answers), refusals, model.count) == (calls, [], calls)


def test_what_does_not_fit_at_all_is_not_asked_and_says_why() -> None:
    model = Bills(0.006, 0.001)
    found = asking(model, Budget(dollars=0.016))
    assert len(found.ask([call("a")]).answers) == 1
    assert len(found.ask([call("b")]).answers) == 1
    (refusal,) = found.ask([call("c")]).refusals
    assert isinstance(refusal.error, SpentError)
    assert str(refusal.error) == "its budget is spent"
    assert (model.count, len([each for each in found.records() if is_asked(each)])) == (2, 2)
    (refusal,) = asking(Bills(), Budget(tokens_per_hour=99)).ask([call("a")]).refusals
    assert str(refusal.error) == "its hourly budget is spent"


def test_once_a_model_is_away_nothing_more_is_begun() -> None:
    more = threading.Event()

    def says(request: Request) -> Answer:
        match request.request_key:
            case "away":
                raise UnavailableError("the key is no good")
            case "slow":
                more.wait(0.2)  # as long as nothing is begun
            case "unpaid":
                more.set()
        return Answer((Choice(text="so"),), 10, 2, 0.001)

    model = Bills()
    model.answer = says  # type: ignore[method-assign]
    with pytest.raises(UnavailableError):
        asking(model, Budget(dollars=0.035)).ask([call(key) for key in ("away", "soon", "slow", "unpaid")])
    assert not more.is_set()


def test_what_waited_too_long_for_bills_is_not_asked_for_a_batch_has_to_end() -> None:
    model = Bills(0.001, takes=6.5)
    answers, (refusal,) = asking(model, Budget(dollars=0.016)).ask([call("a"), call("b")])
    assert (len(answers), model.count) == (1, 1)
    assert str(refusal.error) == "its budget is spent"


def test_a_timeout_stays_taken_so_the_next_attempt_may_not_fit_and_a_rate_limit_does_not() -> None:
    slow, busy = TroubleError("slow", "timeout"), TroubleError("busy", "rate_limited")
    model = Bills(busy, busy, slow, 0.001)
    (refusal,) = asking(model, Budget(dollars=0.016)).ask([call("a")]).refusals
    assert (model.count, refusal.record.attempt, type(refusal.error)) == (3, 4, SpentError)
    model = Bills(busy, busy, slow, 0.001)
    assert len(asking(model, Budget(dollars=0.026)).ask([call("a")]).answers) == 1


def test_refused_calls_leave_the_budget_as_it_is_and_those_broken_off_take_their_bills() -> None:
    ends = [RefusedError("no"), FilteredError("broken off", Answer((), 10, 2, 0.001)), 0.001]
    model = Bills(*ends)
    found = asking(model, Budget(dollars=0.016))
    for key in "abc":
        found.ask([call(key)])
    assert model.count == 3
    fresh = Purse(Budget(dollars=0.016), 0, 1)
    for record in found.records():
        fresh.read(replace(record))
    assert fresh.left() == pytest.approx(0.014)
