from dataclasses import replace

import pytest
from made_up import source_of
from review_world import ACCEPT, ANN, LEO, REJECT, House, events, request, rule

from services.review.edit import LONGEST, edited
from services.review.errors import ReviewError
from services.review.ruling import REASONS, Ruling, checked
from streams.events import ReviewSubmitted, SampleRejected, SampleVerified, event_id
from streams.samples import Lineage, Turn, content_hash, digest

CANDIDATE = request(1).sample


def edit(text: str) -> Ruling:
    return Ruling("edit", "ann", text=text)


@pytest.mark.parametrize(
    ("reasons", "comment", "told"),
    [
        ((), "", "has no reason; give at least one"),
        (("factual_eror",), "", "`factual_eror` is not a reason; did you mean `factual_error`"),
        (("unsafe", "boring"), "", "`boring` is not a reason; give one of factual_error, "),
        (("other",), " ", "say in a comment which"),
        (("unsafe",), "x" * 10_001, "shorten it"),
    ],
)
def test_a_rejection_needs_known_reasons_and_for_another_one_a_comment(
    reasons: tuple[str, ...], comment: str, told: str
) -> None:
    with pytest.raises(ReviewError, match=told):
        checked(CANDIDATE, Ruling("reject", "ann", reasons, comment))


def test_each_reason_is_taken_once() -> None:
    said = checked(CANDIDATE, Ruling("reject", "ann", (*REASONS, "unsafe"), "why"))
    assert said.reasons == REASONS


def test_an_acceptance_has_no_reasons_and_no_text() -> None:
    assert checked(CANDIDATE, Ruling("accept", "ann", ("unsafe",), "so", "text")) == Ruling("accept", "ann", (), "so")


@pytest.mark.parametrize("ending", ["", "\r\n", " \n\n"])
def test_an_edit_that_changes_nothing_is_an_acceptance(ending: str) -> None:
    sample = replace(CANDIDATE, turns=(Turn(role="document", text="one\ntwo\n"),))
    assert edited(sample, f"one\r\ntwo{ending}") is None
    assert checked(sample, edit(f"one\r\ntwo{ending}")) == Ruling("accept", "ann")


@pytest.mark.parametrize("text", ["", " \n\t", "x" * (LONGEST + 1)])
def test_an_edit_to_nothing_or_too_much_is_refused(text: str) -> None:
    with pytest.raises(ReviewError, match="The edit of sample"):
        checked(CANDIDATE, edit(text))


def test_an_edit_is_a_new_sample_with_the_candidate_as_its_parent() -> None:
    source = replace(source_of("bigram"), model_generation=4)
    lineage = Lineage(origin="SYNTHETIC", generation=2, seed_id=digest("s"), parent_ids=(digest("s"),), source=source)
    candidate = replace(CANDIDATE, lineage=lineage, answer="4")
    made = edited(candidate, "better\r\ntext ")
    assert made is not None
    assert made.turns == (candidate.turns[0], Turn(role="assistant", text="better\ntext"))
    assert made.content_hash == content_hash("text", made.turns, answer="4")
    assert made.sample_id == digest("edited", candidate.sample_id, made.content_hash)
    expected = replace(lineage, origin="HUMAN_EDITED", generation=5, parent_ids=(candidate.sample_id,))
    assert made.lineage == expected
    assert edited(replace(candidate, lineage=replace(lineage, generation=7)), "b").lineage.generation == 8  # type: ignore[union-attr]
    assert edited(candidate, "better\ntext") == made


def test_an_edit_accepts_the_new_sample_and_rejects_the_candidate(house: type[House]) -> None:
    here = house(request(1, "audit", "pass", None))
    here.submit(ANN, 1, edit("mended"))
    here.send()
    asked = request(1, "audit", "pass", None)
    new = edited(asked.sample, "mended")
    assert new is not None
    at = here.now - 10_000
    assert events(here.broker, "verify") == [
        SampleVerified(
            event_id=event_id(SampleVerified, new.sample_id), occurred_at=at, decided_by="review", sample=new
        )
    ]
    assert events(here.broker, "reject") == [
        SampleRejected(
            event_id=event_id(SampleRejected, asked.sample.sample_id),
            occurred_at=at,
            reasons=("edited",),
            decided_by="review",
            inclusion_probability=0.02,
            audited=True,
            verdicts=asked.verdicts,
            sample=asked.sample,
        )
    ]
    (decision,) = events(here.broker, "decision")
    assert (decision.decision, decision.edited_sample_id, decision.edited_text) == ("edit", new.sample_id, "mended")
    assert (decision.settles, decision.audited) == (True, True)


def test_the_command_line_settles_whatever_others_have_said(house: type[House]) -> None:
    here = house(request(1, expires_at=None), share=1.0)
    here.submit(ANN, 1)
    here.send()
    rule(here.broker, 1, REJECT._replace(reviewer="ann"))
    assert here.decisions() == [("ann", "accept", False), ("ann", "reject", True)]
    first, second = events(here.broker, "decision")
    assert (first.blind, second.blind, first.revision, second.revision) == (True, False, 0, 1)
    assert second.event_id == event_id(ReviewSubmitted, digest(1), "ann", 1)
    assert len(events(here.broker, "reject")) == 1


def test_an_acceptance_by_command_is_checked_too(house: type[House]) -> None:
    here = house(request(1, expires_at=None))
    with pytest.raises(ReviewError, match="did you mean `unsafe`"):
        rule(here.broker, 1, Ruling("reject", LEO.name, ("unsave",)))
    rule(here.broker, 1, ACCEPT)
    assert here.decisions() == [("ann", "accept", True)]
