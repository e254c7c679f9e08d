"""Who gets which sample when: turns, leases, skips, blind second opinions, and a lead where they differ."""

from collections import Counter

import pytest
from review_world import ACCEPT, ANN, BOB, CAT, LEO, MINUTE, REJECT, VIC, House, ask, events, request, rule

from services.review.errors import ReviewError
from services.review.order import Order
from services.review.overlap import needed
from services.review.ruling import Ruling
from services.review.seats import Person, Seats
from streams.events import ReviewReason
from streams.samples import digest


def edit(text: str) -> Ruling:
    return Ruling("edit", "", text=text)


def test_in_each_kind_what_expires_first_comes_first_and_the_kinds_take_turns() -> None:
    order = Order()
    lines: dict[ReviewReason, str] = {"flagged": "abcd", "audit": "pqrs", "rare": "xy", "unknown": "u"}
    for kind, ids in lines.items():
        for place, sample_id in enumerate(reversed(ids)):
            order.add(kind, None if place == 0 else 100 - place, sample_id)
    assert "".join(order.at(1)) == "abcdxypqrsu"
    got = ""
    for turn in range(11):
        first = next(order.at(turn))
        got += first
        kind = next(kind for kind, ids in lines.items() if first in ids)
        at = lines[kind].index(first)
        order.drop(kind, None if at == len(lines[kind]) - 1 else 100 - (len(lines[kind]) - 1 - at), first)
    assert got == "paxbqcydrsu"


def test_audits_are_a_quarter_of_what_people_get_however_much_is_flagged(house: type[House]) -> None:
    many = [request(n, "audit" if n % 10 == 0 else "flagged", expires_at=None) for n in range(200)]
    here = house(*many)
    audits = {digest(n) for n in range(0, 200, 10)}
    got = here.assign(ANN, 40)
    assert len(set(got)) == 40
    assert sum(sample_id in audits for sample_id in got) == 10


def test_a_sample_is_one_persons_until_the_lease_is_over_and_can_be_kept(house: type[House]) -> None:
    here = house(request(1, expires_at=None))
    assert here.assign(ANN) == here.assign(ANN) == [digest(1)]
    assert here.assign(BOB) == []
    with pytest.raises(ReviewError, match="can't be yours: ann has it"):
        here.submit(BOB, 1)
    here.now += 9 * MINUTE
    assert here.desk.renew(ANN, digest(1), here.now) == here.now + 10 * MINUTE
    here.now += 10 * MINUTE - 1
    assert here.assign(BOB) == []
    here.now += 1
    assert here.assign(BOB) == [digest(1)]
    for late in (lambda: here.desk.renew(ANN, digest(1), here.now), lambda: here.submit(ANN, 1)):
        with pytest.raises(ReviewError, match="bob has it"):
            late()
    here.submit(BOB, 1)
    assert here.assign(BOB) == here.assign(ANN) == []


def test_who_was_slow_may_still_decide_if_nobody_took_over(house: type[House]) -> None:
    here = house(request(1, expires_at=None))
    here.assign(ANN)
    here.now += 11 * MINUTE
    here.submit(ANN, 1)
    here.send()
    assert here.decisions() == [("ann", "accept", True)]


def test_what_was_given_back_is_free_at_once(house: type[House]) -> None:
    here = house(request(1, expires_at=None), request(2, expires_at=None))
    assert len(here.assign(ANN, 2)) == 2
    here.desk.leave(ANN)
    assert len(here.assign(BOB, 2)) == 2


def test_what_is_skipped_comes_after_all_others_and_is_free_for_them(house: type[House]) -> None:
    here = house(*(request(n, expires_at=n) for n in (10**7, 10**7 + 1, 10**7 + 2)))
    first, second, third = (digest(10**7 + n) for n in range(3))
    assert here.assign(ANN) == [first]
    here.desk.skip(ANN, first)
    assert here.assign(ANN) == [second]
    assert here.assign(BOB) == [first]
    here.desk.leave(BOB)
    here.desk.skip(ANN, second)
    assert here.assign(ANN) == [third]
    here.submit(ANN, 10**7 + 2)
    assert here.assign(ANN) == [first]
    here.desk.skip(ANN, first)
    assert here.assign(ANN) == [second]


def test_a_viewer_gets_and_decides_nothing(house: type[House]) -> None:
    here = house(request(1, expires_at=None))
    assert here.assign(VIC) == []
    with pytest.raises(ReviewError, match="viewers decide nothing"):
        here.submit(VIC, 1)


def test_what_comes_later_is_there_after_a_step(house: type[House]) -> None:
    here = house()
    assert here.assign(ANN) == []
    ask(here.broker, request(1, expires_at=None))
    here.step()
    assert here.assign(ANN) == [digest(1)]


def test_two_who_agree_settle_and_neither_sees_the_other(house: type[House]) -> None:
    here = house(request(1, expires_at=None), share=1.0)
    (task,) = here.desk.assign(ANN, here.now)
    here.submit(ANN, 1, REJECT._replace(reasons=("unsafe",)))
    assert here.assign(ANN) == []
    here.send()
    assert here.decisions() == [("ann", "reject", False)]
    assert events(here.broker, "reject") == []
    assert here.assign(ANN) == []
    (other,) = here.desk.assign(BOB, here.now)
    assert task.opinions == other.opinions == ()
    assert here.assign(CAT) == []
    here.submit(BOB, 1, REJECT)
    here.send()
    assert here.decisions() == [("ann", "reject", False), ("bob", "reject", True)]
    (fate,) = events(here.broker, "reject")
    assert fate.reasons == ("unsafe", "factual_error", "low_quality")
    assert here.states() == {}


def test_two_may_have_a_sample_of_the_overlap_at_once_and_leave_together(house: type[House]) -> None:
    here = house(request(1, expires_at=None), share=1.0)
    assert here.assign(ANN) == here.assign(BOB) == [digest(1)]
    assert here.assign(CAT) == []
    here.submit(ANN, 1)
    here.submit(BOB, 1)
    assert here.assign(CAT) == []
    here.send()
    assert here.decisions() == [("ann", "accept", False), ("bob", "accept", True)]
    assert len(events(here.broker, "verify")) == 1


@pytest.mark.parametrize(
    ("first", "second"), [(ACCEPT, REJECT), (edit("one way"), edit("another")), (ACCEPT, edit("a"))]
)
def test_where_two_differ_a_lead_sees_both_and_decides(house: type[House], first: Ruling, second: Ruling) -> None:
    here = house(request(1, expires_at=None), share=1.0)
    here.submit(ANN, 1, first)
    here.submit(BOB, 1, second)
    here.send()
    assert [settles for _, _, settles in here.decisions()] == [False, False]
    assert here.states() == {"adjudication": 1}
    assert here.assign(CAT) == []
    with pytest.raises(ReviewError, match="it waits for a lead"):
        here.submit(CAT, 1)
    (task,) = here.desk.assign(LEO, here.now)
    assert [each.reviewer for each in task.opinions] == ["ann", "bob"]
    assert [each.edited_text for each in task.opinions] == [first.text, second.text]
    here.submit(LEO, 1, REJECT)
    assert here.assign(Person("lea", "lead")) == []
    here.send()
    assert here.decisions()[2:] == [("leo", "reject", True)]
    assert (events(here.broker, "decision")[2].blind, here.states()) == (False, {})
    (fate,) = events(here.broker, "reject")
    assert fate.reasons == REJECT.reasons


def test_a_lead_who_was_one_of_the_two_may_decide_and_comes_to_disputes_first(house: type[House]) -> None:
    here = house(request(1, expires_at=None), share=1.0)
    here.submit(LEO, 1)
    here.submit(BOB, 1, REJECT)
    here.send()
    ask(here.broker, request(2, "audit", expires_at=None), request(3, expires_at=None))
    here.step()
    assert here.assign(LEO) == [digest(1)]
    here.submit(LEO, 1)
    here.send()
    assert here.decisions()[2:] == [("leo", "accept", True)]
    assert events(here.broker, "decision")[2].revision == 1


def test_three_of_whom_one_differs_do_not_settle(house: type[House]) -> None:
    here = house(request(1, expires_at=None), share=1.0, overlap=3)
    for who, ruling in ((ANN, ACCEPT), (BOB, REJECT), (CAT, ACCEPT)):
        here.submit(who, 1, ruling)
    here.send()
    assert [settles for _, _, settles in here.decisions()] == [False, False, False]
    assert here.states() == {"adjudication": 1}


def test_the_overlap_is_drawn_by_hash_and_not_as_the_audit_is() -> None:
    drawn = [needed(digest(n), 3, 0.1) for n in range(4_000)]
    assert Counter(drawn).keys() == {1, 3}
    assert abs(drawn.count(3) - 400) < 4 * 19
    assert [n for n in range(60) if drawn[n] == 3] != [17, 50, 58]
    assert {needed(digest(n), 3, 0.0) for n in range(50)} == {1}
    assert {needed(digest(n), 3, 1.0) for n in range(50)} == {3}


@pytest.mark.parametrize(
    ("seats", "who", "told"),
    [
        (Seats(1), ANN, ""),
        (Seats(1), VIC, "viewers decide nothing"),
        (Seats(1, leased=frozenset({"ann"})), ANN, ""),
        (Seats(1, leased=frozenset({"bob"})), ANN, "bob has it"),
        (Seats(2, leased=frozenset({"bob"})), ANN, ""),
        (Seats(2, leased=frozenset({"bob", "cat"})), ANN, "bob and cat have it"),
        (Seats(2, given=frozenset({"ann"})), ANN, "you have decided about it"),
        (Seats(2, leaving=frozenset({"ann"})), ANN, "you have decided about it"),
        (Seats(2, given=frozenset({"bob"}), leaving=frozenset({"bob"})), ANN, ""),
        (Seats(2, given=frozenset({"bob"}), leaving=frozenset({"cat"})), ANN, "bob and cat have it"),
        (Seats(2, given=frozenset({"bob", "cat"})), ANN, "it waits for a lead"),
        (Seats(2, given=frozenset({"bob", "leo"})), LEO, ""),
        (Seats(2, given=frozenset({"bob", "cat"}), ruling=frozenset({"leo"})), LEO, "leo has it"),
        (Seats(2, given=frozenset({"bob", "cat"}), leased=frozenset({"lea"})), LEO, "lea has it"),
    ],
)
def test_a_sample_has_as_many_seats_as_it_needs_decisions(seats: Seats, who: Person, told: str) -> None:
    assert seats.refusal(who) == told


def test_what_the_command_line_settles_is_nobodys_any_more(house: type[House]) -> None:
    here = house(request(1, expires_at=None))
    here.assign(ANN)
    rule(here.broker, 1)
    here.step()
    assert here.assign(ANN) == []
    with pytest.raises(ReviewError, match="does not wait for review any more"):
        here.submit(ANN, 1)
