"""What a decision leads to: the decision's own event, and the candidate's fate if it settles it."""

from collections.abc import Sequence
from dataclasses import replace

from services.review.edit import edited
from services.review.errors import ReviewError
from services.review.ruling import Ruling
from streams.events import Decider, ReviewRequested, ReviewSubmitted, SampleRejected, SampleVerified, event_id
from streams.samples import Sample, Verdict
from streams.writer import Output

EXPIRY = "expiry"  # the reviewer's name where nobody decided in time


def submitted(request: ReviewRequested, ruling: Ruling, now: int, revision: int = 0) -> ReviewSubmitted:
    """Return the event of a person's decision, which does not settle yet."""
    new = None if ruling.text is None else edited(request.sample, ruling.text)
    return replace(
        _submitted(request, ruling.reviewer, now, revision),
        decision=ruling.decision,
        reasons=ruling.reasons,
        comment=ruling.comment,
        audited=request.audited,
        settles=False,
        edited_text=None if new is None else new.turns[-1].text,
        edited_sample_id=None if new is None else new.sample_id,
    )


def settled(
    request: ReviewRequested, decision: ReviewSubmitted, opinions: Sequence[ReviewSubmitted] = ()
) -> list[Output]:
    """Return the events of a decision that settles its sample; `opinions` are those that it agrees with."""
    outputs = [Output("decision", decision.sample_id, replace(decision, settles=True))]
    now, audited = decision.occurred_at, request.audited
    match decision.decision:
        case "accept":
            return [*outputs, _accepted(request, "review", audited, now)]
        case "reject":
            reasons = tuple(dict.fromkeys(reason for each in (*opinions, decision) for reason in each.reasons))
            return [*outputs, _rejected(request, reasons, "review", audited, now)]
        case "edit":
            new = edited(request.sample, decision.edited_text or "")
            if new is not None:
                fate = _rejected(request, ("edited",), "review", audited, now)
                return [*outputs, fate, _verified(_unjudged(new, now))]
    raise ReviewError(f"The decision {decision.event_id} settles nothing; give it again")


def expired(request: ReviewRequested, now: int) -> list[Output]:
    """Return the events of an expiry: what no check has flagged keeps its automatic verdict; the rest is rejected."""
    stands = request.reason in ("audit", "rare") and request.automatic != "flag"
    reasons: tuple[str, ...] = ("expired",)
    if stands:
        reasons = tuple(verdict.check for verdict in request.verdicts if verdict.outcome == "fail")
    if stands and request.automatic == "pass":
        fate = _accepted(request, "verify", False, now)
    else:
        fate = _rejected(request, reasons, "verify" if stands else "review", False, now)
    decision = replace(_submitted(request, EXPIRY, now, 0), decision="expire", reasons=reasons)
    return [Output("decision", decision.sample_id, decision), fate]


def _submitted(request: ReviewRequested, reviewer: str, now: int, revision: int) -> ReviewSubmitted:
    sample_id = request.sample.sample_id
    return ReviewSubmitted(
        event_id=event_id(ReviewSubmitted, sample_id, reviewer, revision),
        occurred_at=now,
        sample_id=sample_id,
        reviewer=reviewer,
        revision=revision,
        decision="unknown",
        automatic=request.automatic,
        inclusion_probability=request.inclusion_probability,
        judge_lowest=_judge_lowest(request.verdicts),
    )


def _judge_lowest(verdicts: Sequence[Verdict]) -> int | None:
    """Return the least score that judges gave, which is the score of their verdict."""
    scores = (verdict.score for verdict in verdicts if verdict.check == "judge")
    return next((round(score) for score in scores if score is not None), None)


def _accepted(request: ReviewRequested, decider: Decider, audited: bool, now: int) -> Output:
    return _verified(
        SampleVerified(
            event_id=event_id(SampleVerified, request.sample.sample_id),
            occurred_at=now,
            decided_by=decider,
            inclusion_probability=request.inclusion_probability,
            audited=audited,
            verdicts=request.verdicts,
            sample=request.sample,
        )
    )


def _unjudged(new: Sample, now: int) -> SampleVerified:
    """Return the acceptance of an edit: no check has seen it, and the audit has drawn the candidate, not it."""
    named = event_id(SampleVerified, new.sample_id)
    return SampleVerified(event_id=named, occurred_at=now, decided_by="review", sample=new)


def _verified(event: SampleVerified) -> Output:
    return Output("verify", event.sample.sample_id, event)


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
