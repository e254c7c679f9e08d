"""How much a vendor bears is found from its answers, and one that is away is left in peace."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from services.models.breaker import Breaker
from services.models.throttle import Throttle

ANSWERS = st.lists(
    st.tuples(
        st.sampled_from(["answered", "limited"]),
        st.integers(0, 1_000),  # calls in flight
        st.floats(0, 10),  # seconds since the last one
        st.floats(0, 20),  # seconds that the call took
        st.none() | st.floats(0, 100),
    ),
    max_size=200,
)


@given(st.integers(1, 1_000), ANSWERS)
def test_the_limit_stays_from_one_to_what_the_recipe_allows_and_a_pause_that_is_asked_for_is_kept(
    most: int, answers: list[tuple[str, int, float, float, float | None]]
) -> None:
    throttle, now, paused_until = Throttle(most), 0.0, 0.0
    for kind, in_flight, later, took, asked in answers:
        now += later
        before = throttle.limit
        if kind == "answered":
            throttle.answered(in_flight)
            assert before <= throttle.limit <= before + 1
        else:
            throttle.limited(now - took, now, asked)
            assert throttle.limit <= before
            paused_until = max(paused_until, now + (asked or 0))
        assert 1 <= throttle.limit <= most
        assert 0 <= throttle.room(in_flight, now) <= max(0, throttle.limit - in_flight)
        if now < paused_until:
            assert throttle.room(0, now) == 0
    assert throttle.room(0, now + 1_000) == throttle.limit


@given(st.integers(1, 200), st.integers(2, 50))
def test_however_many_calls_of_one_round_trip_are_limited_there_is_one_cut(answers: int, limited: int) -> None:
    one, many = Throttle(1_000), Throttle(1_000)
    for throttle, calls in ((one, 1), (many, limited)):
        for _ in range(answers):
            throttle.answered(throttle.limit)
        for number in range(calls):
            throttle.limited(10.0, 11.0 + number, None)
    assert one.limit == many.limit < 8 + answers


def test_it_doubles_in_a_round_trip_until_the_first_cut_and_regains_a_quarter_of_it_after_it() -> None:
    throttle, limits = Throttle(1_000), []
    for trip in range(25):
        limits.append(throttle.limit)
        if trip == 5:
            throttle.limited(trip, trip, None)
            limits.append(throttle.limit)
        for _ in range(throttle.limit):
            throttle.answered(throttle.limit)
    assert limits[:6] == [8, 16, 32, 64, 128, 256]
    assert limits[6] == int(256 * 0.85)
    grown = [(256 - before, later - before) for before, later in pairwise(limits[6:])]
    assert all(0.2 * missing - 1 <= by <= 0.25 * missing + 1 for missing, by in grown if missing > 8)
    assert [by for missing, by in grown if missing <= 0] == [1] * len([by for missing, by in grown if missing <= 0])
    assert limits[-1] > 256


def test_a_limit_that_is_not_used_does_not_grow() -> None:
    throttle = Throttle(1_000)
    for _ in range(100):
        throttle.answered(3)
    assert throttle.limit == 8


def test_a_vendor_that_bears_two_hundred_calls_has_nearly_as_many_in_flight_on_average() -> None:
    """A round trip a second; what is beyond 200 is turned away at once."""
    throttle, in_flight = Throttle(1_000), []
    for trip in range(400):
        now = float(trip)
        begun = throttle.room(0, now)
        borne = min(begun, 200)
        for _ in range(borne):
            throttle.answered(borne)
        if begun > borne:
            throttle.limited(now, now + 0.1, None)
        in_flight.append(borne)
    late = in_flight[40:]
    assert sum(late) / len(late) >= 188


def test_cuts_that_help_nothing_are_followed_by_longer_and_longer_pauses() -> None:
    throttle, now, pauses = Throttle(100), 0.0, []
    for _ in range(12):
        while throttle.room(0, now) == 0:
            now += 0.25
        began, now = now, now + 0.25
        throttle.limited(began, now, None)
        start = now
        while throttle.room(0, now) == 0:
            now += 0.25
        pauses.append(now - start)
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[1], pauses[2], pauses[-1]) == (0, 0.5, 1.0, 60.0)
    throttle.answered(100)
    throttle.limited(now + 1, now + 1, None)
    assert throttle.room(0, now + 1) > 0


EVENTS = st.lists(st.tuples(st.sampled_from(["begin", "succeed", "fail"]), st.floats(0, 30)), max_size=150)


@given(EVENTS)
def test_while_a_vendor_is_away_one_call_at_a_time_is_let_through_and_pauses_double_up_to_a_minute(
    events: list[tuple[str, float]],
) -> None:
    breaker, now, flying = Breaker(), 0.0, list[tuple[float, bool]]()  # when begun, and whether as a probe
    in_a_row, pause = 0, 0.0
    for what, later in events:
        now += later
        if what == "begin" and breaker.passes(now):
            is_probe = breaker.position == "open"
            assert not (is_probe and any(probe for _, probe in flying))
            breaker.begun()
            flying.append((now, is_probe))
        elif what == "succeed" and flying:
            flying.pop(0)
            breaker.succeeded()
            in_a_row, pause = 0, 0.0
            assert breaker.position == "closed"
        elif what == "fail" and flying:
            began, is_probe = flying.pop(0)
            before = breaker.position
            breaker.failed(began, now)
            in_a_row += 1
            if is_probe and before == "probing":
                assert breaker.position == "open"
                assert breaker.pause == min(60.0, 2 * pause)
            if breaker.position == "open":
                assert in_a_row >= 5
                assert 1.0 <= breaker.pause <= 60.0
            pause = breaker.pause
        flying = [(began, is_probe and breaker.position == "probing") for began, is_probe in flying]
        assert (breaker.position == "closed") == (in_a_row < 5)


def test_failures_of_calls_from_before_it_opened_do_not_prolong_the_pause() -> None:
    breaker = Breaker()
    for _ in range(9):
        breaker.failed(0.0, 1.0)
    assert (breaker.position, breaker.pause) == ("open", 1.0)
    assert not breaker.passes(1.9)
    assert breaker.passes(2.0)
    breaker.begun()
    breaker.failed(0.5, 2.1)
    assert breaker.position == "probing"
    assert not breaker.passes(100.0)
    breaker.failed(2.0, 2.2)
    assert (breaker.position, breaker.pause) == ("open", 2.0)


def test_successes_in_between_keep_it_closed() -> None:
    breaker = Breaker()
    for _ in range(10):
        for _ in range(4):
            breaker.failed(0.0, 1.0)
        breaker.succeeded()
    assert breaker.position == "closed"
