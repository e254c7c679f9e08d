"""What becomes of a candidate: its verdicts and the audit draw lead to exactly one of verify, reject and review."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from services.verify.neighbour import Neighbour
from streams.events import Event, ReviewRequested, SampleRejected, SampleVerified, event_id
from streams.samples import Outcome, Sample, Verdict
from streams.writer import Output

Fate = Literal["verify", "reject", "review"]


class Judged(NamedTuple):
    """A candidate with what the checks said.

    `audited` was drawn before they ran, `is_rare` among those that lie where few human documents do; `nearest` is for a
    person to see.
    """

    sample: Sample
    verdicts: Sequence[Verdict]
    audited: bool
    is_rare: bool = False
    nearest: Neighbour | None = None


@dataclass(frozen=True, slots=True)
class Stamp:
    """What all outputs of one batch share."""

    now: int
    expires_at: int
    audit_share: float


def automatic(verdicts: Sequence[Verdict]) -> Outcome:
    """Return what the checks alone say: the worst of their outcomes."""
    outcomes = {verdict.outcome for verdict in verdicts}
    return "fail" if "fail" in outcomes else "flag" if "flag" in outcomes else "pass"


def fate(judged: Judged) -> Fate:
    """Return the topic that the candidate goes to."""
    outcome = automatic(judged.verdicts)
    if judged.audited or outcome == "flag" or (judged.is_rare and outcome == "pass"):
        return "review"
    return "verify" if outcome == "pass" else "reject"


def output(judged: Judged, stamp: Stamp) -> Output:
    """Return the event of a candidate's fate."""
    where = fate(judged)
    make: dict[Fate, Callable[[Judged, Stamp], Event]] = {
        "verify": _verified,
        "reject": _rejected,
        "review": _requested,
    }
    return Output(where, judged.sample.sample_id, make[where](judged, stamp))


def _verified(judged: Judged, stamp: Stamp) -> SampleVerified:
    return SampleVerified(
        event_id=event_id(SampleVerified, judged.sample.sample_id),
        occurred_at=stamp.now,
        decided_by="verify",
        inclusion_probability=stamp.audit_share,
        audited=judged.audited,
        verdicts=tuple(judged.verdicts),
        sample=judged.sample,
    )


def _rejected(judged: Judged, stamp: Stamp) -> SampleRejected:
    return SampleRejected(
        event_id=event_id(SampleRejected, judged.sample.sample_id),
        occurred_at=stamp.now,
        reasons=tuple(verdict.check for verdict in judged.verdicts if verdict.outcome == "fail"),
        decided_by="verify",
        inclusion_probability=stamp.audit_share,
        audited=judged.audited,
        verdicts=tuple(judged.verdicts),
        sample=judged.sample,
    )


def _requested(judged: Judged, stamp: Stamp) -> ReviewRequested:
    outcome = automatic(judged.verdicts)
    return ReviewRequested(
        event_id=event_id(ReviewRequested, judged.sample.sample_id),
        occurred_at=stamp.now,
        reason="flagged" if outcome == "flag" else "audit" if judged.audited else "rare",
        automatic=outcome,
        expires_at=stamp.expires_at,
        inclusion_probability=stamp.audit_share,
        audited=judged.audited,
        verdicts=tuple(judged.verdicts),
        nearest_id=judged.nearest and judged.nearest.sample_id,
        nearest_text=judged.nearest and judged.nearest.text,
        sample=judged.sample,
    )
