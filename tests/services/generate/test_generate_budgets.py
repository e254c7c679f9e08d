import math
from dataclasses import dataclass, field
from random import Random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from services.generate.budgets import Budgets
from services.models.account import Limits
from services.models.cost import Cost, price, worst
from services.models.provider import Request
from streams.samples import Turn

MINUTE, HOUR = 60_000, 3_600_000
CENT = Cost(100, 0.01)


def request(*turns: Turn, schema: dict[str, str] | None = None) -> Request:
    return Request("k", 0, "m", turns, None, 50, schema=schema)


def test_the_worst_case_is_every_byte_a_token_and_every_token_that_the_answer_may_have() -> None:
    asked = request(Turn(role="system", text="é"), Turn(role="user", text="abc"))
    assert worst(asked, None) == Cost(2 + 3 + 2 * 16 + 50, None)
    assert worst(asked, (1.0, 5.0)) == Cost(87, pytest.approx((37 * 1 + 50 * 5) / 1e6))
    assert worst(request(schema={"type": "object"}), None).tokens == 50 + len('{"type": "object"}') + 500
    assert price(1_000_000, 200_000, (1.0, 5.0)) == pytest.approx(2.0)
    assert price(1, 1, None) is None


def test_a_call_is_made_while_its_worst_case_fits_and_not_after() -> None:
    budgets = Budgets(Limits(dollars=0.025), {})
    budgets.asked(0, 1, "a", CENT, 0)
    assert budgets.short("a", CENT, 0) is None
    budgets.asked(1, 1, "a", CENT, 0)
    assert budgets.short("a", CENT, 0) == "budget"
    budgets.answered(0, 1, Cost(10, 0.001))
    assert budgets.short("a", CENT, 0) is None
    assert budgets.left() == pytest.approx(0.014)


def test_what_was_never_answered_may_have_been_billed_and_what_was_refused_was_not() -> None:
    budgets = Budgets(Limits(tokens=250), {})
    budgets.asked(0, 1, "a", CENT, 0)  # cut off
    budgets.asked(0, 2, "a", CENT, 0)
    assert budgets.short("a", CENT, 0) == "budget"
    budgets.refused(0, 2)
    assert budgets.short("a", CENT, 0) is None
    budgets.answered(0, 1, CENT)
    assert budgets.short("a", CENT, 0) is None


def test_a_source_has_a_budget_of_its_own_and_the_others_go_on() -> None:
    budgets = Budgets(Limits(dollars=1), {"a": Limits(dollars=0.01)})
    budgets.asked(0, 1, "a", CENT, 0)
    assert budgets.short("a", CENT, 0) == "budget"
    assert budgets.short("b", CENT, 0) is None


def test_an_hour_frees_what_was_asked_before_it() -> None:
    budgets = Budgets(Limits(dollars_per_hour=0.01), {})
    budgets.asked(0, 1, "a", CENT, 5 * MINUTE)
    assert budgets.short("a", CENT, 5 * MINUTE) == "hourly budget"
    assert budgets.short("a", CENT, 5 * MINUTE + HOUR) == "hourly budget"
    assert budgets.short("a", CENT, 5 * MINUTE + HOUR + MINUTE) is None


def test_calls_slow_down_over_the_last_fifth() -> None:
    budgets = Budgets(Limits(dollars=1), {"a": Limits(tokens=10_000)})
    assert budgets.pace("a", 0) == 1
    budgets.asked(0, 1, "b", Cost(0, 0.9), 0)
    assert budgets.pace("a", 0) == pytest.approx(0.5)
    budgets.asked(1, 1, "a", Cost(9_500, 0.0), 0)
    assert budgets.pace("a", 0) == pytest.approx(0.25)
    assert budgets.pace("b", 0) == pytest.approx(0.5)
    budgets.asked(2, 1, "b", Cost(0, 0.2), 0)
    assert budgets.pace("b", 0) == 0


def test_nothing_may_be_asked_of_a_budget_of_nothing_and_all_without_one() -> None:
    assert Budgets(Limits(dollars=0), {}).short("a", CENT, 0) == "budget"
    assert Budgets(Limits(dollars=0), {}).pace("a", 0) == 0
    assert Budgets(Limits(), {}).short("a", Cost(10**12, None), 0) is None
    assert Budgets(Limits(), {}).left() == math.inf


RECORDS = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.sampled_from([1, 2, 3, 63, 64, 90]),
        st.sampled_from("ab"),
        st.integers(0, 200),
        st.sampled_from(["open", "answered", "refused"]),
        st.integers(0, 2 * HOUR),
    ),
    unique_by=lambda each: each[:2],
    max_size=12,
)


@given(RECORDS, st.randoms())
def test_the_sums_are_the_same_in_any_order_and_however_often_a_record_comes(
    records: list[tuple[int, int, str, int, str, int]], shuffled: Random
) -> None:
    def told(repeats: int, order: list[int]) -> list[object]:
        budgets = Budgets(Limits(dollars=7, tokens=700, dollars_per_hour=5), {"a": Limits(dollars=3)})
        for place in order:
            call, attempt, source, tokens, end, at = records[place]
            for _ in range(repeats):
                if end == "refused" and place % 2:
                    budgets.refused(call, attempt)
                budgets.asked(call, attempt, source, Cost(tokens, tokens / 64), at)
                if end == "answered":
                    budgets.answered(call, attempt, Cost(tokens // 2, tokens / 128))
                elif end == "refused":
                    budgets.refused(call, attempt)
        now = 2 * HOUR
        return [budgets.left(), *(budgets.pace(name, now) for name in "ab"), budgets.short("a", CENT, now)]

    order = list(range(len(records)))
    expected = told(1, order)
    shuffled.shuffle(order)
    assert told(2, order) == pytest.approx(expected)


@dataclass
class Call:
    source: str
    worst: Cost
    asked_at: int
    billed: Cost = field(default=Cost(0, 0.0))


class Spending(RuleBasedStateMachine):
    """A vendor that bills as it likes, up to the worst, also for calls whose answers never arrive."""

    def __init__(self) -> None:
        super().__init__()
        self.limits = Limits(dollars=3, tokens=3_000, dollars_per_hour=1)
        self.own = Limits(dollars=1)
        self.budgets = Budgets(self.limits, {"a": self.own})
        self.calls: list[Call] = []
        self.now = 0

    @rule(minutes=st.integers(0, 45))
    def time_goes(self, minutes: int) -> None:
        self.now += minutes * MINUTE

    @rule(
        source=st.sampled_from("ab"), dollars=st.sampled_from([0.125, 0.25, 0.5]), billed=st.sampled_from([0, 0.5, 1])
    )
    def ask(self, source: str, dollars: float, billed: float) -> None:
        cost = Cost(int(dollars * 1_000), dollars)
        assume(self.budgets.short(source, cost, self.now) is None)
        bill = Cost(int(cost.tokens * billed), dollars * billed)
        self.budgets.asked(len(self.calls), 1, source, cost, self.now)
        self.calls.append(Call(source, cost, self.now, bill))

    @rule(data=st.data())
    def answer(self, data: st.DataObject) -> None:
        assume(self.calls)
        call = data.draw(st.integers(0, len(self.calls) - 1))
        self.budgets.answered(call, 1, self.calls[call].billed)

    @invariant()
    def no_budget_is_ever_exceeded(self) -> None:
        hour = [call for call in self.calls if call.asked_at > self.now - HOUR]
        assert sum(call.billed.dollars or 0 for call in self.calls) <= self.limits.dollars
        assert sum(call.billed.tokens for call in self.calls) <= self.limits.tokens
        assert sum(call.billed.dollars or 0 for call in hour) <= self.limits.dollars_per_hour
        assert sum(call.billed.dollars or 0 for call in self.calls if call.source == "a") <= self.own.dollars


TestSpending = Spending.TestCase
