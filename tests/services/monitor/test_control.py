import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import reduce
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.monitor.control import TAIL, Control, Limits, alarm, excess, from_dict, start, step, to_dict

USUAL = Limits(floor=0.05, cap=0.3)
ALARM = "alarm"
NEGLIGIBLE = 1e-12

shares = st.floats(0, 1)
measured = st.none() | st.floats(0, 100) | st.sampled_from([0.0, 1.0, 1e300, math.inf, math.nan])
windows = st.lists(st.just(ALARM) | measured, max_size=60)


@st.composite
def controllers(draw: st.DrawFn) -> tuple[Control, Limits]:
    """Return limits and any state that is within them."""
    floor, cap = sorted((draw(shares), draw(shares)))
    within = Limits(
        floor=floor,
        cap=cap,
        target=draw(st.floats(0.1, 10)),
        step_up=draw(st.floats(0.001, 1)),
        step_down=draw(st.floats(0.001, 1)),
        dwell=draw(st.integers(0, 8)),
    )
    state = Control(
        alpha=draw(st.floats(floor, cap)),
        integral=draw(st.floats(floor, cap)),
        smoothed=draw(st.floats(0, 4 * within.target)),
        clean=draw(st.integers(0, 10)),
        window=draw(st.integers(0, 1000)),
        phase=draw(st.sampled_from(["steering", "dwelling"])),
    )
    return state, within


def follow(state: Control, told: Iterable[float | str | None], within: Limits) -> list[Control]:
    """Return the state after each window or alarm, the one at the start first."""
    states = [state]
    for each in told:
        last = states[-1]
        states.append(alarm(last, within) if isinstance(each, str) else step(last, last.window + 1, each, within))
    return states


def constant(value: float, count: int, within: Limits = USUAL, state: Control | None = None) -> list[Control]:
    return follow(state or start(within), [value] * count, within)


def badness(value: float | None) -> float:
    return math.inf if value is None or math.isnan(value) else value


@given(windows, controllers())
def test_the_share_never_leaves_floor_and_cap(
    told: Sequence[float | str | None], controller: tuple[Control, Limits]
) -> None:
    state, within = controller
    for each in follow(state, told, within):
        assert within.floor <= each.alpha <= within.cap
        assert within.floor <= each.integral <= within.cap


@given(windows, controllers())
def test_the_share_changes_by_one_step_a_window_at_most_but_falls_freely_on_an_alarm(
    told: Sequence[float | str | None], controller: tuple[Control, Limits]
) -> None:
    state, within = controller
    states = follow(state, told, within)
    for each, before, after in zip(told, states, states[1:], strict=False):
        assert after.alpha <= before.alpha + within.step_up + NEGLIGIBLE
        if each != ALARM:
            assert after.alpha >= before.alpha - within.step_down - NEGLIGIBLE


@given(measured, measured, controllers())
def test_more_excess_never_leads_to_a_larger_share_from_the_same_state(
    one: float | None, other: float | None, controller: tuple[Control, Limits]
) -> None:
    state, within = controller
    less, more = sorted((one, other), key=badness)
    assert step(state, state.window + 1, more, within).alpha <= step(state, state.window + 1, less, within).alpha


@given(st.lists(st.tuples(measured, measured, st.booleans()), max_size=60), controllers())
def test_more_excess_in_some_windows_never_leads_to_a_larger_share_in_any_later_one(
    pairs: Sequence[tuple[float | None, float | None, bool]], controller: tuple[Control, Limits]
) -> None:
    state, within = controller
    less = more = state
    for one, other, alarmed in pairs:
        low, high = sorted((one, other), key=badness)
        less, more = (step(less, less.window + 1, low, within), step(more, more.window + 1, high, within))
        if alarmed:
            more = alarm(more, within)
        assert more.alpha <= less.alpha


@given(windows, controllers())
def test_without_excess_the_share_reaches_the_cap_and_stays(
    told: Sequence[float | str | None], controller: tuple[Control, Limits]
) -> None:
    state, within = controller
    state = follow(state, told, within)[-1]
    longest = 100 + within.dwell + math.ceil(1 / within.step_up)  # clean again, dwell, steps, integrator
    for settled in constant(0.0, longest + 20, within, state)[longest:]:
        assert settled.alpha == within.cap


def test_a_fresh_controller_begins_at_the_floor_and_rises_every_window_while_nothing_is_wrong() -> None:
    alphas = [state.alpha for state in constant(0.0, 12)]
    assert alphas[0] == 0.05
    risen = alphas[: alphas.index(0.3) + 1]
    assert len(risen) >= 6  # .25 of share in steps of .05
    assert all(before < after for before, after in pairwise(risen))
    assert set(alphas[len(risen) :]) == {0.3}


@pytest.mark.parametrize(("target", "value", "end"), [(1.0, 0.98, 0.3), (1.0, 1.02, 0.05), (2.0, 1.96, 0.3)])
def test_the_share_ends_at_the_cap_below_the_set_point_and_at_the_floor_above_it(
    target: float, value: float, end: float
) -> None:
    within = replace(USUAL, target=target)
    middle = replace(start(within), alpha=0.2, integral=0.2)
    assert constant(value, 1000, within, middle)[-1].alpha == end


def test_at_the_set_point_the_share_stays_where_it_is() -> None:
    middle = replace(start(USUAL), alpha=0.2, integral=0.2)
    assert constant(1.0, 1000, USUAL, middle)[-1].alpha == pytest.approx(0.2)


def test_between_set_point_and_throttle_the_share_moves_both_ways_and_above_it_only_down() -> None:
    raised = replace(start(USUAL), alpha=0.1, integral=0.25, window=0)
    assert step(replace(raised, smoothed=1.2), 1, 1.2, USUAL).alpha == pytest.approx(0.15)
    throttled = step(replace(raised, smoothed=1.3), 1, 1.3, USUAL)
    assert (throttled.phase, throttled.alpha) == ("dwelling", 0.1)


def test_once_throttled_the_share_rises_only_after_the_dwell_below_the_set_point() -> None:
    throttled = step(replace(start(USUAL), alpha=0.2, integral=0.2, smoothed=1.3), 0, 1.3, USUAL)
    assert constant(1.1, 50, USUAL, throttled)[-1].phase == "dwelling"
    states = constant(0.0, 60, USUAL, throttled)
    rises = next(number for number, state in enumerate(states) if number and state.alpha > states[number - 1].alpha)
    clean = [state for state in states[1:rises] if state.smoothed <= USUAL.target]
    assert len(clean) == USUAL.dwell
    assert all(state.alpha <= 0.2 for state in states[:rises])


@given(controllers())
def test_an_alarm_means_the_floor_at_once_and_for_the_dwell(controller: tuple[Control, Limits]) -> None:
    state, within = controller
    alarmed = alarm(state, within)
    assert all(state.alpha == within.floor for state in constant(0.0, within.dwell, within, alarmed))


def test_the_first_step_up_after_an_alarm_follows_the_dwell() -> None:
    states = constant(0.0, 60, USUAL, alarm(constant(0.0, 60)[-1], USUAL))
    assert [state.alpha for state in states[: USUAL.dwell + 1]] == [0.05] * (USUAL.dwell + 1)
    assert states[USUAL.dwell + 1].alpha == pytest.approx(0.1)
    assert states[-1].alpha == 0.3


def test_an_alarm_makes_the_controller_forget_the_share_that_it_had_found() -> None:
    alarmed = alarm(constant(0.0, 60)[-1], USUAL)
    assert max(state.alpha for state in constant(1.0, 60, USUAL, replace(alarmed, smoothed=1.0))) == 0.05


def test_a_window_that_is_not_clean_begins_the_dwell_anew() -> None:
    alarmed = alarm(constant(0.0, 60)[-1], USUAL)
    nearly = constant(0.0, USUAL.dwell, USUAL, alarmed)[-1]
    dirty = step(nearly, nearly.window + 1, 1000.0, USUAL)
    assert dirty.clean == 0
    again = constant(0.0, 60, USUAL, dirty)
    first_clean = next(number for number, state in enumerate(again) if state.clean == 1)
    assert first_clean > 1
    dwelt = first_clean + USUAL.dwell
    assert [state.alpha for state in again[:dwelt]] == [0.05] * dwelt
    assert again[dwelt].alpha > 0.05


@given(controllers())
def test_an_alarm_that_is_raised_twice_is_one(controller: tuple[Control, Limits]) -> None:
    state, within = controller
    alarmed = alarm(state, within)
    assert alarm(alarmed, within) == alarmed


@given(st.integers(0, 100), measured, controllers())
def test_a_window_that_was_used_changes_nothing(
    back: int, value: float | None, controller: tuple[Control, Limits]
) -> None:
    state, within = controller
    assert step(state, state.window - back, value, within) == state


def test_windows_may_be_missing_and_count_as_one_step() -> None:
    state = constant(0.0, 3)[-1]
    assert step(state, 900, 0.0, USUAL) == replace(step(state, state.window + 1, 0.0, USUAL), window=900)


@given(st.floats(100, 1e300) | st.just(math.inf))
def test_a_thousand_windows_of_huge_excess_leave_no_more_behind_than_ten(huge: float) -> None:
    risen = constant(0.0, 60)[-1]
    ten, thousand = (constant(huge, count, USUAL, risen)[-1] for count in (10, 1000))
    assert ten.alpha == USUAL.floor
    assert replace(thousand, window=ten.window) == ten
    assert [state.alpha for state in constant(0.0, 15, USUAL, thousand)][-1] > USUAL.floor


def test_a_thousand_windows_at_the_cap_do_not_delay_the_throttle() -> None:
    hundred, thousand = (constant(3.0, 20, USUAL, constant(0.0, count)[-1]) for count in (100, 1000))
    assert [state.alpha for state in hundred] == pytest.approx([state.alpha for state in thousand])
    assert hundred[-1].alpha == 0.05


def test_what_could_not_be_measured_counts_as_bad() -> None:
    risen = constant(0.0, 60)[-1]
    expected = follow(risen, [math.inf] * 20, USUAL)
    assert expected[-1].alpha == 0.05
    assert follow(risen, [None] * 20, USUAL) == expected
    assert follow(risen, [math.nan] * 20, USUAL) == expected


def test_a_lower_cap_and_a_higher_floor_take_effect_with_the_next_window() -> None:
    risen = constant(0.0, 60)[-1]
    assert step(risen, risen.window + 1, 0.0, Limits(floor=0.05, cap=0.1)).alpha == 0.1
    assert step(start(USUAL), 0, None, Limits(floor=0.2, cap=0.3)).alpha == 0.2


@given(windows, controllers())
def test_a_stored_controller_goes_on_as_if_never_stored(
    told: Sequence[float | str | None], controller: tuple[Control, Limits]
) -> None:
    state, within = controller

    def stored(state: Control) -> Control:
        return from_dict(json.loads(json.dumps(to_dict(state), allow_nan=False)))

    restored = reduce(lambda last, each: follow(stored(last), [each], within)[-1], told, state)
    assert stored(restored) == restored == follow(state, told, within)[-1]


@pytest.mark.parametrize(
    "wrong",
    [
        {"floor": 0.4},
        {"floor": -0.1},
        {"cap": 1.1},
        {"cap": math.nan},
        {"target": 0.0},
        {"step_up": 0.0},
        {"step_down": 0.0},
        {"dwell": -1},
    ],
)
def test_limits_that_contradict_themselves_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="Control: the"):
        Limits(**({"floor": 0.05, "cap": 0.3} | wrong))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "median", "halfwidth", "statistic", "expected"),
    [
        (1000, 1000, 20, "types", 0.0),
        (1020, 1000, 20, "types", 0.0),
        (930, 1000, 20, "types", 1.0),
        (1070, 1000, 20, "types", 1.0),
        (830, 1000, 20, "types", 3.0),
        (0.88, 0.929, 0.0, "recall", 0.98),
        (0.729, 0.929, 0.0, "recall", 4.0),
        (0.0053, 0.0, 0.0001, "mmd2", 4.0),
        (0.917, 0.969, 0.0, "coverage", 4.0),
        (0.02, 0.0, 0.0, "near_duplicates", 2.0),
    ],
)
def test_excess_is_the_distance_beyond_the_null_in_tolerances(
    value: float, median: float, halfwidth: float, statistic: str, expected: float
) -> None:
    assert excess(value, median, halfwidth, statistic) == pytest.approx(expected)


@pytest.mark.parametrize("statistic", TAIL)
def test_a_tail_statistic_that_lost_a_twentieth_beyond_its_null_is_at_the_set_point(statistic: str) -> None:
    assert excess(0.4 * 0.95 - 0.01, 0.4, 0.01, statistic) == pytest.approx(1)


@pytest.mark.parametrize(
    ("value", "median", "halfwidth", "statistic"),
    [
        (1.0, 2.0, 0.1, "jsd"),
        (1.0, 2.0, 0.1, "nonsense"),
        (1.0, None, None, "types"),
        (1.0, 2.0, None, "types"),
        (1.0, None, 0.1, "recall"),
        (math.nan, 2.0, 0.1, "types"),
        (1.0, math.nan, 0.1, "types"),
        (1.0, 2.0, math.nan, "recall"),
        (math.inf, 2.0, 0.1, "types"),
        (1.0, 0.0, 0.1, "novel_1"),
    ],
)
def test_what_excess_cannot_say_it_does_not_call_zero(
    value: float, median: float | None, halfwidth: float | None, statistic: str
) -> None:
    assert excess(value, median, halfwidth, statistic) is None


@given(st.floats(-10, 10), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_excess_grows_with_the_distance_on_both_sides(
    median: float, halfwidth: float, one: float, other: float
) -> None:
    near, far = sorted((one, other))
    for side in (-1, 1):
        less, more = (excess(median + side * off, median, halfwidth, "recall") for off in (near, far))
        assert less is not None
        assert more is not None
        assert 0 <= less <= more + 1e-9
