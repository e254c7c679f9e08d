"""What a reader wants to know first: how it stands, why, and what is allowed now."""

from typing import Literal, NamedTuple

from services.groups import parsed
from services.policy import allowed_share, decisions, has_expired
from services.report import figures
from services.report.curves import called
from services.report.figures import percent, ratio
from services.report.log import Log
from services.report.statistics import MAIN, MORE
from streams.events import CollapseMeasured, MixPolicySet

State = Literal["healthy", "alarm", "recovering", "not measured"]
_CALLED = {
    "change": "it no longer writes as it did when it was admitted",
    "verification_narrows": "the checks throw away rare text",
}
_SAID: dict[State, str] = {
    "healthy": "No collapse is seen in what is mixed now.",
    "alarm": "A collapse was found and the synthetic share is held down.",
    "recovering": "After an alarm the synthetic share is being raised again, step by step.",
    "not measured": "Nothing was measured yet, so nothing can be said about collapse: the monitor has not run.",
}


class Headline(NamedTuple):
    """The state with what is said about it, a line each."""

    state: State
    told: list[str]


def headline(log: Log, recipe_cap: float, floor: float, now: int) -> Headline:
    """Return how the pipeline stands."""
    state = state_of(log, recipe_cap, floor)
    policy = log.policies[-1] if log.policies else None
    told = [_SAID[state], _last_alarm(log), _expired(policy, now), _out(policy)]
    return Headline(state, [line for line in told if line])


def state_of(log: Log, recipe_cap: float, floor: float) -> State:
    """Return the state: an alarm lasts until a policy allows more than the floor; a shift of human text is none."""
    if not log.measures:
        return "not measured"
    alarms = _collapses(log)
    if not alarms:
        return "healthy"
    policy = log.policies[-1] if log.policies else None
    raised = alarms[-1].occurred_at
    if policy is None or policy.occurred_at < raised or allowed_share(recipe_cap, policy) <= floor:
        return "alarm"
    before = [allowed_share(recipe_cap, each) for each in log.policies if each.occurred_at < raised]
    return "recovering" if allowed_share(recipe_cap, policy) < max(before, default=recipe_cap) else "healthy"


def cap_now(log: Log, recipe_cap: float, now: int) -> float:
    """Return the largest share that is allowed now: 0 without a policy in force."""
    policy = log.policies[-1] if log.policies else None
    return allowed_share(recipe_cap, None if policy is None or has_expired(policy, now) else policy)


def decided(log: Log) -> str:
    """Return the last decision in a sentence."""
    if not log.policies:
        return "Nobody has decided yet, so batches are made of real samples only."
    made = decisions(log.policies)[-1].made
    when = figures.time(made.occurred_at)
    reason = made.reason.rstrip(".") or "no reason was given"
    return f"{made.set_by}, {when}: at most {percent(made.alpha)} synthetic ({ratio(made.alpha)}), because: {reason}."


def _collapses(log: Log) -> list[CollapseMeasured]:
    return [each for each in log.alarms if each.alarm_kind != "shift"]


def _last_alarm(log: Log) -> str:
    alarms = log.alarms
    if not alarms:
        return ""
    last = alarms[-1]
    name = called(parsed(last.group), tasks=False, word=True)
    count = f"{len(alarms):,} alarms so far; the last" if len(alarms) > 1 else "The only alarm"
    seen = f"{known.title.lower()} ({last.alarm})" if (known := {**MAIN, **MORE}.get(last.alarm or "")) else last.alarm
    why = "human text moved too, so it is no collapse" if last.alarm_kind == "shift" else _CALLED.get(last.alarm_kind)
    return f"{count} at {figures.time(last.occurred_at)} is of {name}, seen by {seen}: {why or last.alarm_kind}."


def _expired(policy: MixPolicySet | None, now: int) -> str:
    if policy is None or policy.expires_at is None or not has_expired(policy, now):
        return ""
    since = figures.time(policy.expires_at)
    return f"The last policy expired at {since} and none followed: batches have been made of real samples only since."


def _out(policy: MixPolicySet | None) -> str:
    if policy is None:
        return ""
    out = sorted(source for source, weight in policy.weights.items() if weight == 0)
    told = f"Out of use: {', '.join(out)}." if out else ""
    if policy.held:
        told += f" Held back: {figures.held(policy.held)}."
    return told.strip()
