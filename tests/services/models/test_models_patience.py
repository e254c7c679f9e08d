"""How long a call is asked again: a batch of judges has to end before Kafka takes its partitions away."""

import pytest
from asking import Asking
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from services.models.endpoint import Endpoint
from services.models.faults import TroubleError
from services.models.patience import ATTEMPTS, LONGEST_PAUSE, Patience
from services.models.provider import Answer, Model, Request
from services.models.records import is_asked
from streams.errors import UnavailableError
from streams.parts import Choice
from streams.samples import Turn

REQUEST = Request("k", -1, "m", (Turn(role="user", text="hello"),), None, 50)


class Slow:
    """A model of which each attempt takes some of the time that is allowed, and fails; `pause` is what it asks for."""

    inline = False

    def __init__(self, seconds: list[float], pause: float | None, outcome: str) -> None:
        self.asking: Asking | None = None
        self._seconds, self._pause, self._outcome = seconds, pause, outcome
        self.began: list[float] = []

    def model(self) -> Model:
        return Model("m", 0)

    def answer(self, _: Request) -> Answer:
        assert self.asking is not None
        self.began.append(self.asking.now)
        if not self._seconds:
            return Answer((Choice(text="so"),), 10, 2, 0.25)
        self.asking.now += self._seconds.pop(0)
        raise TroubleError("busy", self._outcome, self._pause)  # type: ignore[arg-type]


def asked(model: Slow, seconds: float) -> Asking:
    where = Endpoint("q", "openai", "m", "http://q/v1", SecretStr(""), "", None, seconds)
    model.asking = Asking(model, where)
    return model.asking


@settings(max_examples=60, deadline=None)
@given(
    st.floats(0.5, 27).flatmap(lambda most: st.tuples(st.just(most), st.lists(st.floats(0, most), max_size=12))),
    st.none() | st.floats(0, 40),
    st.sampled_from(["timeout", "failed", "rate_limited"]),
)
def test_whatever_fails_and_however_slowly_a_batch_asked_twice_ends_in_four_times_the_silence_that_is_allowed(
    slow: tuple[float, list[float]], pause: float | None, outcome: str
) -> None:
    seconds, takes = slow
    failing = len(takes)
    model = Slow(list(takes), pause, outcome)
    asking = asked(model, seconds)
    try:
        asking.answer(REQUEST)
        assert len(model.began) == failing + 1
    except UnavailableError:
        assert len(model.began) <= min(failing, ATTEMPTS)
    assert max(model.began) <= seconds + 1 + 1e-9
    assert asking.now <= 2 * seconds + 1 + 1e-9
    records = asking.records()
    assert [each.attempt for each in records if is_asked(each)] == list(range(1, len(model.began) + 1))
    assert len([each for each in records if each.unbilled]) == (outcome == "rate_limited") * (
        len(model.began) - any(each.choices for each in records)
    )


def test_a_call_that_took_all_the_time_it_may_is_asked_once_more() -> None:
    model = Slow([14, 14], None, "timeout")
    asking = asked(model, 14)
    with pytest.raises(UnavailableError, match="q at http://q/v1 gives no answer: busy; check the network"):
        asking.answer(REQUEST)
    assert len(model.began) == 2
    assert 28 < asking.now <= 29


@given(st.integers(1, ATTEMPTS - 1), st.floats(0, 1), st.floats(0, 15))
def test_pauses_double_are_of_a_second_at_most_and_fit_into_the_time(
    attempts: int, jitter: float, elapsed: float
) -> None:
    patience, trouble = Patience("q", 14), TroubleError("busy", "failed")
    pause = patience.pause(trouble, attempts, elapsed, jitter)
    assert pause is not None
    assert 0 <= pause <= min(LONGEST_PAUSE, 15 - elapsed)
    if elapsed < 14:
        assert pause == pytest.approx(min(1.0, 0.1 * 2 ** (attempts - 1) + jitter))
    assert patience.pause(trouble, ATTEMPTS, elapsed, jitter) is None
    assert patience.pause(trouble, attempts, 15.01, jitter) is None
    asks = TroubleError("busy", "rate_limited", elapsed)
    assert patience.pause(asks, attempts, 14.99 - elapsed, jitter) == elapsed
    assert patience.pause(asks, attempts, 15.01 - elapsed, jitter) is None
