from dataclasses import replace
from typing import Any

import pytest
from books import CODEC, NAME, Books, sample, source

from services.books.spending import Line, Spending, read
from services.commands.cost import told
from services.models.provider import Answer
from services.models.records import billed, unbilled
from streams.events import DeadLetter, ModelAnswered, SampleVerified
from streams.parts import Choice
from streams.samples import Source, Strategy, Turn

TEXT = (Turn(role="user", text="Go on."),)


def paid(name: str = "q", strategy: Strategy = "answer", **told: Any) -> Source:
    return replace(source(), name=name, provider="openai", strategy=strategy, **told)


def call(
    number: int, by: Source, *, attempt: int = 1, purpose: str = "generate", worst: float | None = 0.01
) -> ModelAnswered:
    return ModelAnswered(
        event_id="e",
        occurred_at=0,
        request_key=f"{by.name}-{number}",
        purpose=purpose,
        call_index=number,
        slot=0,
        source=by,
        task="chat",
        prompt=TEXT,
        choices=(),
        attempt=attempt,
        asked_at=0,
        worst_tokens=200,
        worst_cost=worst,
    )


class Calls(Books):
    def ask(self, asked: ModelAnswered) -> ModelAnswered:
        self.write("response", asked.request_key, asked)
        return asked

    def answer(self, asked: ModelAnswered, cost: float | None = 0.002) -> None:
        by = replace(asked.source, tokens_in=100, tokens_out=20, cost=cost)
        self.write("response", asked.request_key, replace(asked, choices=(Choice(text="so"),), source=by))

    def bill(self, asked: ModelAnswered, cost: float | None = 0.002) -> None:
        self.write("response", asked.request_key, billed(asked, Answer((), 100, 20, cost), 0))

    def spare(self, asked: ModelAnswered) -> None:
        self.write("response", asked.request_key, unbilled(asked, 0))

    def refuse(self, asked: ModelAnswered, error: str) -> None:
        letter = DeadLetter(
            event_id="d", occurred_at=0, stage="generate", reason="handle", error=error, explanation="x",
            source_topic="t", source_partition=-1, source_offset=0, value=CODEC.encode(asked),
        )  # fmt: skip
        self.write("dead.generate", "d", letter)

    def take(self, number: int, by: Source | None) -> None:
        made = sample(number, source=by)
        self.write("verify", made.sample_id, SampleVerified(event_id="v", occurred_at=1, sample=made))

    def told(self) -> Spending:
        return read(self.broker, CODEC, NAME)


def test_answers_cost_what_they_cost_and_attempts_without_one_may_cost_the_worst() -> None:
    books = Calls()
    for number in range(4):
        books.answer(books.ask(call(number, paid())))
    books.ask(call(4, paid()))
    books.answer(books.ask(call(4, paid(), attempt=2)))
    books.refuse(books.ask(call(5, paid())), "RefusedError")
    books.refuse(books.ask(call(6, paid())), "FilteredError")  # broken off without a bill
    books.bill(asked := books.ask(call(7, paid())))
    books.refuse(asked, "FilteredError")
    (line,) = books.told().lines
    assert line[:7] == ("q", "answer", 9, 5, 2, 600, 120)
    assert (line.dollars, line.at_risk) == pytest.approx((0.012, 0.02))


def test_each_strategy_has_what_an_accepted_sample_of_it_costs_and_a_judge_stands_last() -> None:
    books = Calls()
    for number, strategy in enumerate(("answer", "answer", "answer", "rephrase", "rephrase")):
        by = paid(strategy=strategy)  # type: ignore[arg-type]
        books.answer(books.ask(call(number, by)))
        if number != 1:
            books.take(number, by)
    books.take(9, None)
    books.answer(books.ask(call(0, paid("j"), purpose="judge", worst=None)), cost=0.001)
    found = books.told()
    assert [(line.source, line.strategy, line.accepted) for line in found.lines] == [
        ("q", "answer", 2), ("q", "rephrase", 2), ("j", "judge", 0),
    ]  # fmt: skip
    assert [line.per_accepted for line in found.lines] == [pytest.approx(0.003), pytest.approx(0.002), None]
    assert [line.tokens_per_accepted for line in found.lines] == [180, 120, None]
    assert found.accepted == 5
    assert found.dollars == pytest.approx(0.011)
    assert found.projected(50) == pytest.approx(0.11)
    assert found.projected(2) == pytest.approx(0.011)


def test_what_judges_spent_stands_beside_their_own_budget_and_what_may_be_billed_for_them_is_told() -> None:
    books, judge = Calls(), paid("j")
    books.answer(books.ask(call(0, paid())), cost=0.01)
    books.ask(call(0, judge, purpose="judge", worst=0.008))  # cut off
    books.answer(books.ask(call(0, judge, attempt=2, purpose="judge", worst=0.008)), cost=0.004)
    books.spare(books.ask(call(1, judge, purpose="judge", worst=0.008)))
    found = books.told()
    assert found.lines[1][:5] == ("j", "judge", 3, 1, 1)
    assert (found.lines[1].dollars, found.lines[1].at_risk) == pytest.approx((0.004, 0.008))
    assert told(found, 10, 20, 5) == (
        "$0.0140 spent, by sources $0.0100 of $20.0000, by judges $0.0040 of $5.0000, at most $0.0080 more for calls "
        "that have no answer; nothing is accepted yet"
    )
    books.take(0, paid())
    assert told(books.told(), 10, None, None) == (
        "$0.0140 spent, at most $0.0080 more for calls that have no answer; 1 of 10 are accepted, so all will cost "
        "some $0.1400"
    )


def test_an_unknown_price_makes_the_sum_unknown() -> None:
    books = Calls()
    books.answer(books.ask(call(0, paid())))
    books.answer(books.ask(call(1, paid("free"), worst=None)), cost=None)
    books.take(1, paid("free"))
    found = books.told()
    assert [line.dollars for line in found.lines] == [None, pytest.approx(0.002)]
    assert (found.dollars, found.projected(9)) == (None, None)
    assert found.lines[0].per_accepted is None


def test_of_nothing_nothing_is_told() -> None:
    assert Books().broker is not None
    assert Calls().told() == Spending([], 0)
    assert Line("q", "answer").per_accepted is None
