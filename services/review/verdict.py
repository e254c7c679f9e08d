"""What a decision leads to: the decision's own event, and the candidate's fate."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, NamedTuple

from streams.events import Decider, ReviewRequested, ReviewSubmitted, SampleRejected, SampleVerified, event_id
from streams.writer import Output

EXPIRY = "expiry"  # the reviewer's name where nobody decided in time


class Ruling(NamedTuple):
    """A person's decision; `reasons` are of a rejection."""

    decision: Literal["accept", "reject"]
    reviewer: str
    reasons: tuple[str, ...] = ()
    comment: str = ""


def decided(request: ReviewRequested, ruling: Ruling, now: int) -> list[Output]:
    """Return the events of a person's decision."""
    if ruling.decision == "accept":
        fate = _accepted(request, "review", request.audited, now)
    else:
        fate = _rejected(request, ruling.reasons, "review", request.audited, now)
    submitted = replace(
        _submitted(request, ruling.reviewer, now),
        decision=ruling.decision,
        reasons=ruling.reasons,
        comment=ruling.comment,
        audited=request.audited,
    )
    return [Output("decision", submitted.sample_id, submitted), fate]


def expired(request: ReviewRequested, now: int) -> list[Output]:
    """Return the events of an expiry: an audit leaves the automatic verdict, unaudited; anything else is rejected."""
    stands = request.reason == "audit" and request.automatic != "flag"
    reasons: tuple[str, ...] = ("expired",)
    if stands:
        reasons = tuple(verdict.check for verdict in request.verdicts if verdict.outcome == "fail")
    if stands and request.automatic == "pass":
        fate = _accepted(request, "verify", False, now)
    else:
        fate = _rejected(request, reasons, "verify" if stands else "review", False, now)
    submitted = replace(_submitted(request, EXPIRY, now), decision="expire", reasons=reasons)
    return [Output("decision", submitted.sample_id, submitted), fate]


def _submitted(request: ReviewRequested, reviewer: str, now: int) -> ReviewSubmitted:
    sample_id = request.sample.sample_id
    return ReviewSubmitted(
        event_id=event_id(ReviewSubmitted, sample_id, reviewer, 0),
        occurred_at=now,
        sample_id=sample_id,
        reviewer=reviewer,
        decision="unknown",
        automatic=request.automatic,
        inclusion_probability=request.inclusion_probability,
    )


def _accepted(request: ReviewRequested, decider: Decider, audited: bool, now: int) -> Output:
    sample_id = request.sample.sample_id
    event = SampleVerified(
        event_id=event_id(SampleVerified, sample_id),
        occurred_at=now,
        decided_by=decider,
        inclusion_probability=request.inclusion_probability,
        audited=audited,
        verdicts=request.verdicts,
        sample=request.sample,
    )
    return Output("verify", sample_id, event)


def _rejected(request: ReviewRequested, reasons: Sequence[str], decider: Decider, audited: bool, now: int) -> Output:
    sample_id = request.sample.sample_id
    event = SampleRejected(
        event_id=event_id(SampleRejected, sample_id),
        occurred_at=now,
        reasons=tuple(reasons),
        decided_by=decider,
        inclusion_probability=request.inclusion_probability,
        audited=audited,
        verdicts=request.verdicts,
        sample=request.sample,
    )
    return Output("reject", sample_id, event)
