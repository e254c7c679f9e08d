"""Decisions of people on candidates that the audit drew, and what follows from them."""

from services.verify.calibration import Calibration
from streams.events import Decision, ReviewSubmitted
from streams.samples import Outcome


def decision(
    said: Decision,
    automatic: Outcome = "pass",
    probability: float = 0.1,
    *,
    audited: bool = True,
    lowest: int | None = None,
    key: str = "s",
) -> ReviewSubmitted:
    return ReviewSubmitted(
        event_id=f"e{key}",
        occurred_at=0,
        sample_id=key,
        reviewer="r",
        decision=said,
        automatic=automatic,
        inclusion_probability=probability,
        audited=audited,
        judge_lowest=lowest,
    )


def after(*events: ReviewSubmitted) -> Calibration:
    found = Calibration()
    for event in events:
        found = found.plus(event)
    return found
