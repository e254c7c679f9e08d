"""The control law of the synthetic share: how far the mix is off the human null, and what share follows from it.

A PI controller holds the excess at a set-point. It fails towards real data: what is missing counts as bad, an alarm
means the floor at once, and the share rises by small steps only after clean windows. Larger excess in any window never
leads to a larger share, then or later.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from math import inf, isfinite, isnan
from typing import Any, Literal

TAIL = ("types", "hapax", "good_turing", "distinct_2", "distinct_3", "novel_1", "novel_2", "novel_3")
_OF_TAIL = 0.05  # of the null's median
# a quarter of what one generation of a local source is off: .0053, .20 and .052 on the plays; human text, and local
# sources too, have no near-duplicates, so there a document in a hundred is much
_ABSOLUTE = {"mmd2": 0.0013, "recall": 0.05, "coverage": 0.013, "near_duplicates": 0.01}

# tuned in the closed loop that the experiment B12 runs; per window
_PROPORTIONAL, _INTEGRAL = 0.15, 0.02  # of share, for each unit of error
_WEIGHT = 0.2  # of the newest window in the smoothed excess
_THROTTLED, _SATURATED = 1.25, 4.0  # in set-points

Phase = Literal["steering", "dwelling"]


@dataclass(frozen=True, slots=True)
class Limits:
    """What the controller may do: shares in 0 to 1, steps in share per window, `dwell` in windows.

    ValueError unless 0 <= floor <= cap <= 1, the target and both steps are positive and `dwell` is no less than 0.
    """

    floor: float
    cap: float
    target: float = 1.0
    step_up: float = 0.05
    step_down: float = 0.15
    dwell: int = 5

    def __post_init__(self) -> None:
        if not 0 <= self.floor <= self.cap <= 1:
            raise ValueError(f"Control: the floor {self.floor} and the cap {self.cap} need 0 <= floor <= cap <= 1")
        if not (self.target > 0 and self.step_up > 0 and self.step_down > 0 and self.dwell >= 0):
            raise ValueError(f"Control: the target and the steps must be above 0, the dwell no less than 0, in {self}")


@dataclass(frozen=True, slots=True)
class Control:
    """The controller after `window`: `alpha` is the share that it allows.

    While `dwelling` the share doesn't rise; `clean` counts the windows in a row with a smoothed excess within the
    target.
    """

    alpha: float
    integral: float
    smoothed: float
    clean: int = 0
    window: int = -1
    phase: Phase = "steering"


def excess(value: float, null_median: float | None, null_halfwidth: float | None, statistic: str) -> float | None:
    """Return how far a value lies outside the null's 95 % band, in the statistic's tolerances.

    None where that can't be said: no null, a statistic without a tolerance, a number that is not finite, or a null of
    0 of which the tolerance would be a share.
    """
    if null_median is None or null_halfwidth is None:
        return None
    tolerance = _OF_TAIL * abs(null_median) if statistic in TAIL else _ABSOLUTE.get(statistic, 0.0)
    beyond = abs(value - null_median) - null_halfwidth
    return max(0.0, beyond) / tolerance if tolerance > 0 and isfinite(beyond) else None


def start(limits: Limits) -> Control:
    """Return a controller at the floor, as if its excess had been on target."""
    return Control(alpha=limits.floor, integral=limits.floor, smoothed=limits.target)


def step(state: Control, window: int, measured_excess: float | None, limits: Limits) -> Control:
    """Return the controller after a window; one that is not newer than the last changes nothing.

    The excess is 0 or more; None or NaN, a window that could not be measured, counts as infinite.
    """
    if window <= state.window:
        return state
    smoothed = _smoothed(state.smoothed, measured_excess, limits)
    clean = state.clean + 1 if smoothed <= limits.target else 0
    phase = _phase(state.phase, smoothed, clean, limits)
    error = 1 - smoothed / limits.target
    highest = state.alpha + limits.step_up if phase == "steering" else state.alpha
    integral = state.integral + _INTEGRAL * error
    if phase == "dwelling":
        integral = min(integral, state.integral)  # what can't act must not add up
    integral = _within(integral, limits)
    alpha = max(min(integral + _PROPORTIONAL * error, highest), state.alpha - limits.step_down)
    return Control(_within(alpha, limits), integral, smoothed, clean, window, phase)


def alarm(state: Control, limits: Limits) -> Control:
    """Return the controller at the floor, where it stays for the dwell."""
    return replace(state, alpha=limits.floor, integral=limits.floor, clean=0, phase="dwelling")


def to_dict(state: Control) -> dict[str, Any]:
    """Return the state as what JSON can hold."""
    return asdict(state)


def from_dict(stored: Mapping[str, Any]) -> Control:
    """Return the state that `to_dict` gave."""
    return Control(**stored)


def _smoothed(before: float, measured: float | None, limits: Limits) -> float:
    """Return the moving average, saturated: else one huge value would be remembered for many windows."""
    newest = inf if measured is None or isnan(measured) else measured
    return min((1 - _WEIGHT) * before + _WEIGHT * newest, _SATURATED * limits.target)


def _phase(before: Phase, smoothed: float, clean: int, limits: Limits) -> Phase:
    """Return `dwelling` from 1.25 targets or an alarm on, until more than `dwell` windows in a row were clean."""
    if smoothed > _THROTTLED * limits.target:
        return "dwelling"
    return "dwelling" if before == "dwelling" and clean <= limits.dwell else "steering"


def _within(share: float, limits: Limits) -> float:
    return min(limits.cap, max(limits.floor, share))
