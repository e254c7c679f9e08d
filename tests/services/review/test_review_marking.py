from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from review_world import request

from services.review.page.card import card, span
from services.review.page.marking import Piece, changed, marked, quotes
from streams.samples import Outcome, Verdict

TEXTS = st.text(alphabet="ab \n,é<", max_size=30)


@given(TEXTS, st.lists(st.text(alphabet="ab é,", min_size=1, max_size=4), max_size=4))
def test_marking_loses_nothing_of_a_text_and_marks_every_quote(text: str, wanted: list[str]) -> None:
    pieces = marked(text, wanted)
    assert "".join(piece.text for piece in pieces) == text
    assert all(piece.text for piece in pieces)
    unmarked = [piece.text for piece in pieces if not piece.mark]
    for quote in wanted:
        if quote.isalnum():
            assert all(quote not in part for part in unmarked)


def test_a_quote_of_words_is_found_whatever_stands_between_them() -> None:
    pieces = marked("To be, or NOT\nto be: that is the question", ["or not to be"])
    assert pieces == [
        Piece("To be, ", ""),
        Piece("or NOT\nto be", "evidence"),
        Piece(": that is the question", ""),
    ]


def test_quotes_that_overlap_are_each_marked_once() -> None:
    assert marked("abcdef", ["abcd", "cdef", "bc"]) == [Piece("abcd", "evidence"), Piece("ef", "evidence")]


@pytest.mark.parametrize(("outcome", "is_quoted"), [("flag", True), ("fail", True), ("pass", False)])
def test_only_verdicts_that_do_not_pass_are_quoted(outcome: Outcome, is_quoted: bool) -> None:
    verdict = Verdict(check="c", outcome=outcome, evidence={"ngram": "one two", "match": "x", "sample_id": "no quote"})
    assert quotes([verdict]) == ["one two"] * is_quoted


@given(TEXTS, TEXTS)
def test_a_change_has_both_texts_in_it(before: str, after: str) -> None:
    pieces = changed(before, after)
    assert "".join(piece.text for piece in pieces if piece.mark != "added") == before
    assert "".join(piece.text for piece in pieces if piece.mark != "removed") == after
    if before == after:
        assert all(not piece.mark for piece in pieces)


def test_a_changed_word_is_told_whole() -> None:
    assert changed("the old king", "the new king") == [
        Piece("the ", ""),
        Piece("old", "removed"),
        Piece("new", "added"),
        Piece(" king", ""),
    ]


@pytest.mark.parametrize(
    ("milliseconds", "told"),
    [
        (-1, "now"),
        (0, "now"),
        (59_999, "in less than a minute"),
        (60_000, "in 1 minute"),
        (7_200_000, "in 2 hours"),
        (3 * 86_400_000, "in 3 days"),
    ],
)
def test_a_time_to_come_is_told_in_its_largest_unit(milliseconds: int, told: str) -> None:
    assert span(milliseconds) == told


def test_a_card_tells_why_a_person_is_asked_and_hides_the_verdicts_of_an_audit() -> None:
    flagged = card(request(1, expires_at=None), 0)
    assert (flagged.why, flagged.expires) == ("A check is not sure: duplicate", "never")
    assert [verdict.check for verdict in flagged.verdicts] == ["duplicate", "format"], "what matters comes first"
    audited = card(request(1, "audit", "flag", expires_at=60_000), 0)
    assert (audited.why, audited.expires) == ("Drawn at random, to measure the checks", "in 1 minute")
    assert not audited.verdicts


def test_a_card_shows_the_nearest_human_text_if_it_is_known() -> None:
    assert card(request(1), 0).neighbour == ""
    assert card(replace(request(1), nearest_id="x", nearest_text="To be"), 0).neighbour == "To be"
