from collections import Counter
from contextlib import suppress
from dataclasses import replace
from typing import Literal

import pytest
from crashing import Crash, CrashingBroker
from hypothesis import given
from hypothesis import strategies as st
from review_world import ACCEPT, CODEC, REJECT, Refuses, desk_with, events, read, request, rule, stage

from services.review.decide import expire, waiting
from services.review.desk import Desk, Waiting
from services.review.errors import ReviewError
from services.review.ruling import Ruling
from services.review.verdict import expired, submitted
from streams.broker import Outgoing
from streams.errors import DecodeError, FatalError
from streams.events import ReviewReason, ReviewSubmitted, SampleRejected, SampleVerified, event_id
from streams.samples import Outcome, Verdict, digest
from streams.topics import identity, name


def test_what_waits_is_told_with_the_first_to_expire_first() -> None:
    broker = desk_with(
        request(1, expires_at=None), request(2, expires_at=200), request(3, "audit", "pass", expires_at=100)
    )
    lines = waiting(broker, CODEC, "p")
    assert [line.sample_id for line in lines] == [digest(3), digest(2), digest(1)]
    shown = "question 3 " + "answer " * 40
    assert lines[0] == Waiting(digest(3), "audit", "pass", 100, shown[:119] + "…")


def test_an_acceptance_is_a_decision_and_a_verified_sample() -> None:
    broker, asked = desk_with(request(1), request(2)), request(1)
    rule(broker, 1)
    assert events(broker, "decision") == [
        ReviewSubmitted(
            event_id=event_id(ReviewSubmitted, digest(1), "ann", 0),
            occurred_at=50,
            sample_id=digest(1),
            reviewer="ann",
            decision="accept",
            automatic="flag",
            inclusion_probability=0.02,
        )
    ]
    assert events(broker, "verify") == [
        SampleVerified(
            event_id=event_id(SampleVerified, digest(1)),
            occurred_at=50,
            decided_by="review",
            inclusion_probability=0.02,
            audited=False,
            verdicts=asked.verdicts,
            sample=asked.sample,
        )
    ]
    assert events(broker, "reject") == []
    assert [line.sample_id for line in waiting(broker, CODEC, "p")] == [digest(2)]


def test_a_decision_says_how_low_judges_had_scored_the_sample() -> None:
    judged = Verdict(check="judge", outcome="flag", score=2.0)
    silent = Verdict(check="judge", outcome="flag", score=None)
    one, other = (replace(request(n), verdicts=(said,)) for n, said in ((1, judged), (2, silent)))
    broker = desk_with(one, other)
    rule(broker, 1)
    rule(broker, 2)
    assert {event.sample_id: event.judge_lowest for event in events(broker, "decision")} == {
        digest(1): 2,
        digest(2): None,
    }


def test_a_rejection_carries_the_reviewers_reasons_and_the_audit() -> None:
    broker, asked = desk_with(request(1, "audit", "pass")), request(1, "audit", "pass")
    rule(broker, 1, REJECT)
    assert events(broker, "reject") == [
        SampleRejected(
            event_id=event_id(SampleRejected, digest(1)),
            occurred_at=50,
            reasons=("factual_error", "low_quality"),
            decided_by="review",
            inclusion_probability=0.02,
            audited=True,
            verdicts=asked.verdicts,
            sample=asked.sample,
        )
    ]
    (decision,) = events(broker, "decision")
    assert (decision.decision, decision.reviewer, decision.reasons) == (
        "reject",
        "bob",
        ("factual_error", "low_quality"),
    )
    assert (decision.comment, decision.automatic, decision.audited) == ("no", "pass", True)
    assert events(broker, "verify") == []


def test_a_sample_that_does_not_wait_cant_be_decided() -> None:
    broker = desk_with(request(1))
    with pytest.raises(ReviewError, match="does not wait for review"):
        rule(broker, 2)
    rule(broker, 1)
    with pytest.raises(ReviewError, match="is decided already"):
        rule(broker, 1, REJECT)
    assert [len(events(broker, word)) for word in ("decision", "verify", "reject")] == [1, 1, 0]


def test_a_rejection_without_a_reason_is_refused() -> None:
    broker = desk_with(request(1))
    with pytest.raises(ReviewError, match="has no reason"):
        rule(broker, 1, Ruling("reject", "ann"))
    assert events(broker, "decision") == []


def test_an_aborted_decision_is_told_and_can_be_given_again() -> None:
    broker = desk_with(request(1))
    with pytest.raises(ReviewError, match="was not written; give it again"):
        rule(Refuses(broker), 1)
    rule(broker, 1)
    assert len(events(broker, "decision")) == len(events(broker, "verify")) == 1


def test_of_two_people_who_decide_at_once_the_earlier_is_fenced() -> None:
    broker = desk_with(request(1))
    late = broker.producer(identity("p", "review", 0))
    late.init()
    late.begin()
    rule(broker, 1)
    with pytest.raises(FatalError, match="fenced"):
        late.commit()


@pytest.mark.parametrize(
    ("reason", "automatic", "word", "decider", "reasons"),
    [
        ("flagged", "flag", "reject", "review", ("expired",)),
        ("audit", "pass", "verify", "verify", None),
        ("audit", "fail", "reject", "verify", ("duplicate",)),
        ("audit", "flag", "reject", "review", ("expired",)),
        ("rare", "pass", "verify", "verify", None),
        ("unknown", "pass", "reject", "review", ("expired",)),
    ],
)
def test_an_expiry_lets_the_verdict_stand_that_no_check_doubts_and_rejects_the_rest(
    reason: ReviewReason,
    automatic: Outcome,
    word: Literal["verify", "reject"],
    decider: str,
    reasons: tuple[str, ...] | None,
) -> None:
    decision, fate = expired(request(1, reason, automatic), 7)
    assert (fate.word, fate.key) == (word, digest(1))
    assert isinstance(fate.event, SampleVerified | SampleRejected)
    assert (fate.event.decided_by, fate.event.audited, fate.event.occurred_at) == (decider, False, 7)
    assert getattr(fate.event, "reasons", None) == reasons
    assert isinstance(decision.event, ReviewSubmitted)
    assert (decision.event.decision, decision.event.reviewer, decision.event.audited) == ("expire", "expiry", False)


def test_the_stage_lets_expire_what_is_due_and_nothing_else() -> None:
    broker = desk_with(request(1, expires_at=100), request(2, expires_at=101), request(3, expires_at=None))
    now = [99]
    review = stage(broker, lambda: now[0])
    review.start()
    assert review.step() == 0
    now[0] = 100
    assert [review.step(), review.step()] == [1, 0]
    assert [e.sample_id for e in events(broker, "decision")] == [digest(1)]
    now[0] = 10**6
    assert [review.step(), review.step()] == [1, 0]
    assert [line.sample_id for line in waiting(broker, CODEC, "p")] == [digest(3)]


def test_a_persons_command_does_not_end_the_stage() -> None:
    broker = desk_with(request(1, expires_at=100), request(2, expires_at=100))
    now = [0]
    review = stage(broker, lambda: now[0])
    review.start()
    rule(broker, 1)
    now[0] = 100
    assert [review.step(), review.step()] == [1, 0]
    assert Counter(e.sample_id for e in events(broker, "decision")) == {digest(1): 1, digest(2): 1}


def test_what_a_person_decides_at_the_last_moment_does_not_expire() -> None:
    broker = desk_with(request(1))
    desk = Desk(broker, CODEC, "p")
    desk.catch_up()
    rule(broker, 1)
    assert [len(desk.due(100, 9)), expire(broker, CODEC, "p", desk, 100)] == [1, 0]
    assert len(events(broker, "decision")) == 1


def test_a_decision_may_be_read_before_what_it_decides() -> None:
    broker = desk_with(request(1), request(2))
    rule(broker, 1)
    desk = Desk(broker, CODEC, "p")
    desk._take(read(broker, "decision"))
    desk._take(read(broker, "review"))
    assert [line.sample_id for line in desk.waiting()] == [digest(2)]


def test_what_is_read_twice_counts_once() -> None:
    broker = desk_with(request(1), request(2))
    opinion = CODEC.encode(submitted(request(2), ACCEPT, 5))
    broker.producer().send([Outgoing(name("p", "decision"), digest(2).encode(), opinion)])
    rule(broker, 1)
    desk = Desk(broker, CODEC, "p")
    for _ in range(2):
        desk._take(read(broker, "review"))
        desk._take(read(broker, "decision"))
    assert [len(some) for some in desk.opinions().values()] == [1]
    assert desk.decisions.settled == {"accept": 1}
    assert desk.decisions.pace(50) == {"ann": 2}
    assert list(desk.in_order(0)) == [digest(2)]


def test_an_aborted_expiry_is_tried_again() -> None:
    broker = desk_with(request(1))
    review = stage(Refuses(broker), lambda: 100)
    review.start()
    assert review.step() == 0
    review.close()
    again = stage(broker, lambda: 100)
    again.start()
    assert again.step() == 1


def test_another_event_among_the_requests_stops_with_its_name() -> None:
    broker = desk_with()
    alien = CODEC.encode(submitted(request(1), ACCEPT, 0))
    broker.producer().send([Outgoing(name("p", "review"), b"k", alien)])
    with pytest.raises(DecodeError, match="a ReviewSubmitted lies in the topic `review`"):
        waiting(broker, CODEC, "p")


Move = tuple[int | None, int | None, bool]  # a sample or the expiry, the call at which the process dies, and after it


@given(st.lists(st.tuples(st.none() | st.integers(0, 3), st.none() | st.integers(1, 25), st.booleans()), max_size=8))
def test_every_request_is_decided_exactly_once_whoever_dies_when(moves: list[Move]) -> None:
    broker = desk_with(*(request(n) for n in range(4)))
    for sample, at, after in [*moves, (None, None, False)]:
        dying = CrashingBroker(broker, at, after=after)
        with suppress(Crash, ReviewError):
            if sample is not None:
                rule(dying, sample, REJECT if sample % 2 else ACCEPT)
            else:
                review = stage(dying, lambda: 100)
                review.start()
                review.step()
    decisions = Counter(e.sample_id for e in events(broker, "decision"))
    outcomes = Counter(e.sample.sample_id for word in ("verify", "reject") for e in events(broker, word))
    assert decisions == outcomes == Counter(digest(n) for n in range(4))
