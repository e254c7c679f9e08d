import math

import pytest
from verify_world import sample

from services.verify.audit import drawn, drawn_as_rare
from services.verify.fate import Judged, Stamp, automatic, fate, output
from streams.events import ReviewRequested, SampleRejected, SampleVerified, event_id
from streams.samples import Outcome, Verdict, digest

STAMP = Stamp(now=10, expires_at=99, audit_share=0.25)


def verdicts(*outcomes: Outcome) -> list[Verdict]:
    return [Verdict(check=f"c{n}", outcome=outcome) for n, outcome in enumerate(outcomes)]


@pytest.mark.parametrize(
    ("outcomes", "audited", "word", "says"),
    [
        (("pass", "pass"), False, "verify", "pass"),
        (("pass", "fail"), False, "reject", "fail"),
        (("flag", "fail"), False, "reject", "fail"),
        (("flag", "pass"), False, "review", "flag"),
        (("pass", "pass"), True, "review", "pass"),
        (("pass", "fail"), True, "review", "fail"),
        (("flag", "pass"), True, "review", "flag"),
    ],
)
def test_verdicts_and_the_draw_lead_to_one_fate(
    outcomes: tuple[Outcome, ...], audited: bool, word: str, says: Outcome
) -> None:
    judged = Judged(sample("a", "x"), verdicts(*outcomes), audited)
    assert fate(judged) == word
    assert automatic(judged.verdicts) == says
    assert output(judged, STAMP).word == word


@pytest.mark.parametrize(
    ("outcome", "audited", "word", "reason"),
    [
        ("pass", False, "review", "rare"),
        ("pass", True, "review", "audit"),
        ("flag", False, "review", "flagged"),
        ("fail", False, "reject", None),
    ],
)
def test_what_is_drawn_from_a_rare_region_is_shown_to_a_person_if_it_passes(
    outcome: Outcome, audited: bool, word: str, reason: str | None
) -> None:
    made = output(Judged(sample("a", "x"), verdicts(outcome), audited, is_rare=True), STAMP)
    assert (made.word, getattr(made.event, "reason", None)) == (word, reason)


def test_the_draws_are_independent() -> None:
    both = sum(drawn(digest(n), 0.3) and drawn_as_rare(digest(n), 0.3) for n in range(20_000))
    assert abs(both - 1_800) < 170


def test_an_accepted_sample_carries_its_verdicts_and_the_draw() -> None:
    one = sample("a", "x")
    made = output(Judged(one, verdicts("pass"), False), STAMP)
    assert made.key == one.sample_id
    assert made.event == SampleVerified(
        event_id=event_id(SampleVerified, one.sample_id),
        occurred_at=10,
        decided_by="verify",
        inclusion_probability=0.25,
        audited=False,
        verdicts=tuple(verdicts("pass")),
        sample=one,
    )


def test_a_rejected_sample_names_the_check_that_failed() -> None:
    one = sample("a", "x")
    made = output(Judged(one, verdicts("flag", "fail"), False), STAMP)
    assert made.event == SampleRejected(
        event_id=event_id(SampleRejected, one.sample_id),
        occurred_at=10,
        reasons=("c1",),
        decided_by="verify",
        inclusion_probability=0.25,
        audited=False,
        verdicts=tuple(verdicts("flag", "fail")),
        sample=one,
    )


@pytest.mark.parametrize(
    ("outcome", "audited", "reason"), [("flag", False, "flagged"), ("flag", True, "flagged"), ("fail", True, "audit")]
)
def test_a_request_says_why_a_person_is_asked(outcome: Outcome, audited: bool, reason: str) -> None:
    one = sample("a", "x")
    made = output(Judged(one, verdicts(outcome), audited), STAMP)
    assert made.event == ReviewRequested(
        event_id=event_id(ReviewRequested, one.sample_id),
        occurred_at=10,
        reason=reason,
        automatic=outcome,
        expires_at=99,
        inclusion_probability=0.25,
        audited=audited,
        verdicts=tuple(verdicts(outcome)),
        sample=one,
    )


@pytest.mark.parametrize("share", [0.0, 0.02, 0.3, 1.0])
def test_the_draw_takes_its_share(share: float) -> None:
    count = 20_000
    taken = sum(drawn(digest(n), share) for n in range(count))
    assert abs(taken - share * count) <= 4 * math.sqrt(share * (1 - share) * count)


def test_the_draw_is_the_same_for_ever_and_a_larger_share_takes_more() -> None:
    assert [n for n in range(60) if drawn(digest(n), 0.1)] == [17, 50, 58]
    assert all(drawn(digest(n), 0.4) for n in range(500) if drawn(digest(n), 0.3))
