"""The policy that follows from the decisions: written when they change, and again before it expires.

It is a function of the decisions and of the last policy, so it can be written at any time: whoever wrote last, and
whatever was lost, the next look puts it right. What a person has pinned stays; what a person accepted stays too.
"""

from dataclasses import replace

from services.monitor import decisions as deciding
from services.monitor.decisions import Decisions
from services.policy import has_expired
from streams.events import MixPolicySet, event_id
from streams.parts import SourceRange

AUTHOR = "monitor"
LASTS_MS = 60_000
RENEWED_MS = 15_000


def next_policy(
    last: MixPolicySet | None,
    decisions: Decisions,
    now: int,
    collapsed: str | None = None,
) -> MixPolicySet | None:
    """Return the policy to write now, or None while the last says all and lasts long enough.

    `now` is in UTC milliseconds. A share that a person has set holds until it expires.
    While the model of the run `collapsed` is the last that was judged, nothing synthetic is allowed.
    """
    if last is not None and _is_ahead(last, decisions, now):
        return None
    if collapsed is not None:
        none = replace(decisions.control, alpha=0.0)
        reason = f"evaluation {collapsed} shows a collapse: worse on real text, not on synthetic; nothing synthetic"
        decisions = replace(decisions, control=none, reason=reason)
    wanted = _wanted(last, decisions, now)
    if last is not None and _says_the_same(last, wanted) and not _is_old(last, now):
        return None
    return wanted


def _wanted(last: MixPolicySet | None, decisions: Decisions, now: int) -> MixPolicySet:
    version = last.version + 1 if last else 0
    start = last or MixPolicySet(event_id="", occurred_at=now, version=0, alpha=0.0, set_by="", reason="")
    is_persons = last is not None and last.set_by != AUTHOR and not has_expired(last, now)
    return replace(
        start,
        event_id=event_id(MixPolicySet, version),
        occurred_at=now,
        version=version,
        alpha=start.alpha if is_persons else decisions.control.alpha,
        expires_at=start.expires_at if is_persons else now + LASTS_MS,
        set_by=start.set_by if is_persons else AUTHOR,
        reason=start.reason if is_persons else decisions.reason,
        weights=deciding.weights(decisions),
        held=deciding.held(decisions),
        dropped=_closed(decisions.dropped, start.dropped, version),
        regenerate=decisions.regenerate,
        neglected=decisions.neglected,
        inputs={**decisions.inputs, "decision": float(decisions.number)},
    )


def _closed(dropped: tuple[SourceRange, ...], before: tuple[SourceRange, ...], version: int) -> tuple[SourceRange, ...]:
    """Return what is dropped; of a new range also what is still under way: it was planned before this policy."""
    known = [replace(each, planned_before=-1) for each in before]
    return tuple(
        before[place] if known[place : place + 1] == [each] else replace(each, planned_before=version)
        for place, each in enumerate(dropped)
    )


def _says_the_same(last: MixPolicySet, wanted: MixPolicySet) -> bool:
    return (
        replace(
            wanted,
            event_id=last.event_id,
            occurred_at=last.occurred_at,
            version=last.version,
            expires_at=last.expires_at,
        )
        == last
    )


def _is_ahead(last: MixPolicySet, decisions: Decisions, now: int) -> bool:
    """Tell whether another monitor has decided more, and lately: then this one was away, and what it knows is old."""
    return last.inputs.get("decision", 0.0) > decisions.number and now - last.occurred_at < LASTS_MS


def _is_old(last: MixPolicySet, now: int) -> bool:
    return last.expires_at is not None and last.set_by == AUTHOR and last.expires_at - now < LASTS_MS - RENEWED_MS
