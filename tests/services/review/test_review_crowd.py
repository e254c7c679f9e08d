"""Fifteen people at one desk at once, each in a thread, while the stage sends: nothing lost, doubled or in conflict."""

import itertools
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from review_world import ACCEPT, REJECT, House, events, people, request

from services.review.errors import ReviewError
from services.review.overlap import needed
from services.review.seats import Person
from streams.samples import digest

SAMPLES = 120
SHARE = 0.3
CROWD = [Person(f"r{n}", "lead" if n % 5 == 0 else "reviewer") for n in range(15)]


def review(here: House, who: Person, mine: list[str]) -> None:
    """Decide about all there is, but put every seventh aside, and take every eleventh decision back."""
    turns = itertools.count()
    while tasks := here.desk.assign(who, here.now, 2):
        for task in tasks:
            sample_id, turn = task.request.sample.sample_id, next(turns)
            if turn % 7 == 3:
                here.desk.skip(who, sample_id)
                continue
            ruling = REJECT if int(sample_id, 16) % 3 == 0 and who.name < "r5" else ACCEPT
            here.desk.submit(who, sample_id, ruling, here.now)
            if turn % 11 == 5:
                assert here.desk.undo(who, here.now) == sample_id
            else:
                mine.append(sample_id)


def all_at_once(here: House, clicked: list[list[str]]) -> None:
    """Let everybody review in a thread of his own while the stage runs, until nobody finds anything."""
    with ThreadPoolExecutor(len(CROWD)) as pool:
        running = [pool.submit(review, here, *each) for each in zip(CROWD, clicked, strict=True)]
        while not all(each.done() for each in running):
            here.step()
        for each in running:
            each.result()
    here.send()


def test_fifteen_people_at_once_lose_double_and_contradict_nothing(house: type[House]) -> None:
    here = house(*(request(n, expires_at=None) for n in range(SAMPLES)), share=SHARE)
    people(here.folder, *CROWD)
    clicked: list[list[str]] = [[] for _ in CROWD]
    while here.states():
        all_at_once(here, clicked)
    decisions = events(here.broker, "decision")
    given = Counter((who.name, sample_id) for who, mine in zip(CROWD, clicked, strict=True) for sample_id in mine)
    assert given == Counter((e.reviewer, e.sample_id) for e in decisions)
    assert Counter(e.sample_id for e in decisions if e.settles) == Counter(digest(n) for n in range(SAMPLES))
    fates = Counter(e.sample.sample_id for word in ("verify", "reject") for e in events(here.broker, word))
    assert fates == Counter(digest(n) for n in range(SAMPLES))
    blind = Counter(e.sample_id for e in decisions if e.blind)
    assert blind == {digest(n): needed(digest(n), 2, SHARE) for n in range(SAMPLES)}
    assert sum(not e.blind for e in decisions) > 0, "nobody differed"
    assert here.desk.figures(here.now).alpha is not None
    assert all(here.desk.refused(who) == [] for who in CROWD)


def test_of_fifteen_who_decide_about_one_sample_at_once_one_does(house: type[House]) -> None:
    here = house(*(request(n, expires_at=None) for n in range(8)))
    people(here.folder, *CROWD)
    gate = threading.Barrier(len(CROWD))
    taken: list[tuple[str, int]] = []

    def rush(who: Person) -> None:
        for n in range(8):
            gate.wait(10)
            with suppress(ReviewError):
                here.submit(who, n)
                taken.append((who.name, n))

    threads = [threading.Thread(target=rush, args=(who,)) for who in CROWD]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    here.send()
    assert sorted(n for _, n in taken) == list(range(8))
    assert Counter((e.reviewer, e.sample_id) for e in events(here.broker, "decision")) == Counter(
        (name, digest(n)) for name, n in taken
    )
