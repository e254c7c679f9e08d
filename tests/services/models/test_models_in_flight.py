"""The threads that make calls: no more than calls were ever in flight at once, and none once nobody waits for them."""

import gc
import threading
from collections.abc import Callable

import pytest
from lazy import Lazy
from made_up import source_of

from services.models.answers import Asker
from services.models.in_flight import InFlight, Question
from services.models.patience import Patience
from services.models.provider import Answer, Model, Request
from services.models.purse import Purse
from services.recipe import Budget
from streams.codec import Codec
from streams.events import ModelAnswered
from streams.memory import MemoryBroker
from streams.parts import Choice
from streams.topics import ensure

SOURCE = source_of("a")


class Gate:
    """Answers as soon as so many calls wait at once."""

    inline = False

    def __init__(self, calls: int) -> None:
        self._barrier = threading.Barrier(calls)

    def model(self) -> Model:
        return Model("m", 0)

    def answer(self, _: Request) -> Answer:
        self._barrier.wait(10)
        return Answer((Choice(text="yes"),), 1, 1)


def question(number: int) -> Question:
    record = ModelAnswered(
        event_id=f"e{number}",
        occurred_at=0,
        request_key=f"k{number}",
        purpose="generate",
        call_index=number,
        slot=0,
        source=SOURCE,
        task="text",
        prompt=(),
        choices=(),
        asked_at=0,
    )
    return Question(Request(record.request_key, number, "m", (), None, 10), record)


def callers() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == "ask"}


def opened() -> InFlight:
    broker = MemoryBroker()
    ensure(broker, "p")
    return InFlight(broker, Codec(), "p", lambda: 0)


def wave(in_flight: InFlight, calls: int) -> None:
    gate = Gate(calls)
    for number in range(calls):
        in_flight.begin(question(number), gate)
    while in_flight:
        in_flight.finished(10)


def test_threads_are_as_many_as_calls_were_at_once_and_make_the_next_ones() -> None:
    before, in_flight = callers(), opened()
    for calls in (3, 5, 2, 5):
        wave(in_flight, calls)
    assert len(callers() - before) == 5
    in_flight.close()


def forgotten(in_flight: list[InFlight]) -> None:
    in_flight.clear()
    gc.collect()


@pytest.mark.parametrize("end", [lambda those: those[0].close(), forgotten], ids=["closed", "forgotten"])
def test_threads_end_with_whoever_had_them(end: Callable[[list[InFlight]], None]) -> None:
    before, those = callers(), [opened()]
    wave(those[0], 4)
    mine = callers() - before
    assert len(mine) == 4
    end(those)
    for thread in mine:
        thread.join(10)
    assert not any(thread.is_alive() for thread in mine)


def test_what_is_waited_for_is_stored_once_it_is_there() -> None:
    broker = Lazy(MemoryBroker())
    ensure(broker, "p")
    in_flight = InFlight(broker, Codec(), "p", lambda: 0)
    patience = Patience("a at home", 5)
    asker = Asker(in_flight, {"a": Gate(3)}, {"a": patience}, Purse(Budget(), 0, 1), lambda: 0)
    assert len(asker.ask([question(number) for number in range(3)]).answers) == 3
    assert broker.waiting == 0
    in_flight.close()
