"""From the click to the log: what is durable when, what can be taken back, and what becomes of it whoever dies when."""

import os
import signal
import subprocess
import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest
from crashing import Crash, CrashingBroker
from review_world import ACCEPT, ANN, BOB, LEO, REJECT, House, Refuses, ask, desk_with, events, request, rule, stage

from services.review import outbox
from services.review.store import FILE, Store
from streams.samples import digest

KILLED = """
import os, signal, sys
from pathlib import Path
from review_world import ACCEPT, ANN, House, request
here = House(Path(sys.argv[1]), request(1, expires_at=None))
here.submit(ANN, 1)
os.kill(os.getpid(), signal.SIGKILL)
"""


def rows(house: House) -> list[tuple[str, str]]:
    store = Store(house.folder / FILE)
    with store.transaction() as db:
        found = list(db.execute("SELECT sample_id, state FROM outbox ORDER BY id"))
    store.close()
    return found


def test_a_decision_leaves_when_it_can_no_longer_be_taken_back(house: type[House]) -> None:
    here = house(request(1, expires_at=None))
    assert here.desk.submit(ANN, digest(1), ACCEPT, here.now) == here.now + 10_000
    here.now += 9_999
    here.step()
    assert (here.decisions(), here.states()) == ([], {"outbox": 1})
    here.now += 1
    here.step()
    (decision,) = events(here.broker, "decision")
    assert (decision.occurred_at, decision.blind, decision.settles) == (here.now - 10_000, True, True)
    assert here.decisions() == [("ann", "accept", True)]
    assert rows(here) == []


def test_what_is_taken_back_is_before_the_reviewer_again_and_never_leaves(house: type[House]) -> None:
    here = house(request(1, expires_at=None), request(2, expires_at=None))
    first, second = here.assign(ANN, 2)
    here.desk.submit(ANN, first, ACCEPT, here.now)
    here.desk.submit(ANN, second, REJECT, here.now)
    assert here.desk.undo(ANN, here.now + 9_999) == second
    assert here.desk.undo(BOB, here.now) is None
    assert here.assign(BOB) == []
    here.send()
    assert here.decisions() == [("ann", "accept", True)]
    assert here.desk.undo(ANN, here.now) is None
    here.desk.submit(ANN, second, ACCEPT, here.now)
    here.send()
    assert [(e.sample_id, e.revision) for e in events(here.broker, "decision")] == [(first, 0), (second, 0)]


def test_what_is_leaving_cant_be_taken_back_by_a_slow_clock(house: type[House]) -> None:
    here = house(request(1, expires_at=None))
    here.submit(ANN, 1)
    clicked = here.now
    here.open(Refuses(here.broker))
    here.send()
    assert rows(here) == [(digest(1), "leaving")]
    assert here.desk.undo(ANN, clicked) is None
    here.open()
    here.step()
    assert here.decisions() == [("ann", "accept", True)]


def test_a_click_is_durable_when_it_returns(tmp_path: Path) -> None:
    where = os.pathsep.join(sys.path)
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path)], env={**os.environ, "PYTHONPATH": where}, check=False
    )
    assert done.returncode == -signal.SIGKILL
    store = Store(tmp_path / FILE)
    with store.transaction() as db:
        assert [busy.sample_id for busy in outbox.busy(db)] == [digest(1)]
    store.close()


def test_a_kill_between_click_and_send_loses_nothing(house: type[House]) -> None:
    here = house(request(1, expires_at=None))
    here.submit(ANN, 1)
    here.open()
    assert here.states() == {"outbox": 1}
    assert here.assign(BOB) == []
    here.send()
    assert here.decisions() == [("ann", "accept", True)]


def die_after_the_commit(house: House) -> None:
    """Let the process die at each call in turn, and stop once its decision is in the log."""
    dying = CrashingBroker(house.broker, None, after=True)
    for at in range(1, 100):
        dying._at = None
        house.open(dying)
        dying._at = dying.calls + at
        with suppress(Crash):
            house.step()
        if house.decisions():
            return
    raise AssertionError("nothing was sent")


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_kill_between_send_and_mark_doubles_nothing(house: type[House], share: float) -> None:
    here = house(request(1, expires_at=None), share=share)
    here.submit(ANN, 1)
    here.now += 10_000
    die_after_the_commit(here)
    assert rows(here) == [(digest(1), "leaving")]
    here.open()
    here.step()
    assert here.decisions() == [("ann", "accept", share == 0.0)]
    assert (here.desk.refused(ANN), rows(here)) == ([], [])


def test_a_decision_that_was_sent_before_a_kill_and_settled_otherwise_since_is_not_refused(house: type[House]) -> None:
    here = house(request(1, expires_at=None), share=1.0)
    here.submit(ANN, 1)
    here.now += 10_000
    die_after_the_commit(here)
    rule(here.broker, 1, REJECT)
    here.open()
    here.step()
    assert here.decisions() == [("ann", "accept", False), ("bob", "reject", True)]
    assert (here.desk.refused(ANN), rows(here)) == ([], [])


def test_an_aborted_transaction_is_sent_again(house: type[House]) -> None:
    here = house(request(1, expires_at=None), request(2, expires_at=None))
    here.submit(ANN, 1)
    here.submit(BOB, 2, REJECT)
    here.open(Refuses(here.broker))
    here.send()
    assert here.decisions() == []
    here.open()
    here.step()
    assert sorted(here.decisions()) == [("ann", "accept", True), ("bob", "reject", True)]
    assert [len(events(here.broker, word)) for word in ("verify", "reject")] == [1, 1]


@pytest.mark.parametrize("settled_by", ["command", "expiry"])
def test_what_was_settled_otherwise_is_refused_and_told_once(house: type[House], settled_by: str) -> None:
    here = house(request(1, expires_at=1_005_000))
    here.submit(ANN, 1)
    if settled_by == "command":
        rule(here.broker, 1, REJECT)
    else:
        here.now += 5_000
        here.step()
    here.send()
    assert len(here.decisions()) == len(events(here.broker, "reject")) == 1
    assert here.decisions()[0][0] != "ann"
    (told,) = here.desk.refused(ANN)
    assert told.why == f"Sample {digest(1)} was decided otherwise before your decision left"
    assert here.desk.refused(BOB) == []
    here.desk.acknowledge(BOB, told.id)
    assert here.desk.refused(ANN) == [told]
    here.desk.acknowledge(ANN, told.id)
    assert here.desk.refused(ANN) == rows(here) == []


def test_what_was_settled_at_the_last_moment_is_refused_too(house: type[House]) -> None:
    here = house(request(1, expires_at=None))
    here.submit(ANN, 1)
    here.now += 10_000
    rule(here.broker, 1, REJECT)
    here.send_alone()
    assert here.decisions() == [("bob", "reject", True)]
    assert len(here.desk.refused(ANN)) == 1


def test_a_decision_stays_in_the_outbox_until_the_desk_has_read_it(house: type[House]) -> None:
    here = house(request(1, expires_at=None), share=1.0)
    here.submit(ANN, 1)
    here.now += 10_000
    here.send_alone()
    assert (rows(here), here.assign(ANN)) == ([(digest(1), "sent")], [])
    here.step()
    assert (rows(here), here.assign(ANN)) == ([], [])


def test_of_two_leads_decisions_on_one_sample_the_second_is_refused(house: type[House]) -> None:
    """The desk gives it to one of them only; a file that says otherwise still doubles nothing."""
    here = house(request(1, expires_at=None), share=1.0)
    here.submit(ANN, 1)
    here.submit(BOB, 1, REJECT)
    here.send()
    here.submit(LEO, 1)
    store = Store(here.folder / FILE)
    with store.transaction() as db:
        db.execute(
            "INSERT INTO outbox (event_id, sample_id, reviewer, leaves_at, adjudicates, state, frame) "
            "SELECT 'x', sample_id, 'lea', leaves_at, 1, state, frame FROM outbox"
        )
    store.close()
    here.send()
    assert here.decisions()[2:] == [("leo", "accept", True)]
    assert len(rows(here)) == 1


def test_many_decisions_leave_in_one_transaction(house: type[House]) -> None:
    here = house(*(request(n, expires_at=None) for n in range(30)))
    for n in range(30):
        here.submit(ANN, n)
    here.now += 10_000
    counting = CrashingBroker(here.broker, None)
    here.open(counting)
    before = counting.calls
    here.step()
    assert len(here.decisions()) == 30
    assert counting.calls - before < 60
    assert here.desk.figures(here.now).pace == {"ann": 30}


def test_without_a_port_there_is_no_file(tmp_path: Path) -> None:
    review = stage(desk_with(request(1)), lambda: 100, tmp_path)
    review.start()
    assert review.step() == 1
    assert list(tmp_path.iterdir()) == []
    review.close()


def test_a_lease_and_a_skip_of_what_is_settled_are_thrown_away(house: type[House]) -> None:
    here = house(request(1, expires_at=None), request(2, expires_at=None))
    here.assign(ANN, 2)
    here.desk.skip(ANN, digest(1))
    for n in (1, 2):
        rule(here.broker, n)
    here.step()
    store = Store(here.folder / FILE)
    with store.transaction() as db:
        assert [db.execute(f"SELECT count(*) FROM {table}").fetchone() for table in ("leases", "skips")] == [(0,), (0,)]
    store.close()
    ask(here.broker, request(3, expires_at=None))
    here.step()
    assert Counter(here.assign(ANN, 9)) == {digest(3): 1}
