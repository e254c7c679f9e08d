"""What a page does for the people who review: gives them samples, takes decisions, and tells what came of them.

Each call is one transaction of the store, durable when it returns, and safe in any thread; none waits for the broker.
"""

import itertools
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from sqlite3 import Connection
from typing import NamedTuple

from services.review import leases, outbox
from services.review.desk import Desk
from services.review.errors import ReviewError
from services.review.figures import Figures, figures
from services.review.outbox import Refused, Row
from services.review.ruling import Ruling, checked
from services.review.seats import Person, Seats
from services.review.store import Store
from services.review.terms import Terms
from services.review.verdict import submitted
from streams.codec import Codec
from streams.events import ReviewRequested, ReviewSubmitted


class Task(NamedTuple):
    """A sample before a reviewer until `until`; `opinions` only for a lead, where people did not agree."""

    request: ReviewRequested
    until: int
    opinions: tuple[ReviewSubmitted, ...]


class Reviewing:
    """The desk and the store together; all times in UTC milliseconds."""

    def __init__(self, desk: Desk, store: Store, codec: Codec, terms: Terms) -> None:
        self._desk, self._store, self._codec, self._terms = desk, store, codec, terms
        self._turns = itertools.count()

    def assign(self, who: Person, now: int, most: int = 1) -> list[Task]:
        """Return what a person has before him, the newest first, with new samples up to `most`; may be less."""
        with self._desk.lock, self._store.transaction() as db:
            taken = _Taken(self._desk, self._terms, db, now)
            mine = [sample_id for sample_id in leases.held(db, who.name, now) if taken.is_free(sample_id, who)]
            while len(mine) < most and (found := self._next(who, taken, db, mine)) is not None:
                mine.insert(0, found)
            for sample_id in reversed(mine):
                leases.take(db, who.name, sample_id, now + self._terms.lease)
            return [self._task(sample_id, taken, now) for sample_id in mine]

    def renew(self, who: Person, sample_id: str, now: int) -> int:
        """Keep a sample while its page is open; returns until when. Raises ReviewError if he can't have it any more."""
        with self._desk.lock, self._store.transaction() as db:
            self._check(who, sample_id, db, now)
            until = now + self._terms.lease
            leases.take(db, who.name, sample_id, until)
            return until

    def submit(self, who: Person, sample_id: str, ruling: Ruling, now: int) -> int:
        """Take a decision; returns until when it can be taken back. Raises ReviewError: nothing was taken."""
        with self._desk.lock, self._store.transaction() as db:
            request, seats = self._check(who, sample_id, db, now)
            said = checked(request.sample, ruling._replace(reviewer=who.name))
            revision = self._desk.decisions.revision(sample_id, who.name)
            decision = replace(submitted(request, said, now, revision), blind=not seats.disputed)
            frame = self._codec.encode(decision)
            row = Row(0, decision.event_id, sample_id, who.name, seats.disputed, frame)
            leaves_at = now + self._terms.undo
            outbox.put(db, row, leaves_at)
            leases.give_back(db, who.name, sample_id)
            return leaves_at

    def undo(self, who: Person, now: int) -> str | None:
        """Take a person's last decision back and give him its sample again; None if it is too late."""
        with self._desk.lock, self._store.transaction() as db:
            sample_id = outbox.take_back(db, who.name, now)
            if sample_id is not None:
                leases.take(db, who.name, sample_id, now + self._terms.lease)
            return sample_id

    def skip(self, who: Person, sample_id: str) -> None:
        """Put a sample at the end of what this person gets; others may have it."""
        with self._store.transaction() as db:
            leases.skip(db, who.name, sample_id)

    def leave(self, who: Person) -> None:
        """Give everything back that a person has before him."""
        with self._store.transaction() as db:
            leases.give_all_back(db, who.name)

    def refused(self, who: Person) -> list[Refused]:
        """Return a person's decisions that came too late, until he acknowledges them."""
        with self._store.transaction() as db:
            return outbox.refused(db, who.name)

    def acknowledge(self, who: Person, row: int) -> None:
        """Note that a person knows that a decision of his came too late."""
        with self._store.transaction() as db:
            outbox.acknowledge(db, who.name, row)

    def figures(self, now: int) -> Figures:
        """Return agreement, pace and backlog."""
        with self._desk.lock, self._store.transaction() as db:
            return figures(self._desk, self._terms, now, leases.live(db, now), outbox.busy(db))

    def _next(self, who: Person, taken: "_Taken", db: Connection, mine: list[str]) -> str | None:
        for sample_id in self._candidates(who, taken, db):
            if sample_id not in mine and taken.is_free(sample_id, who):
                return sample_id
        return None

    def _candidates(self, who: Person, taken: "_Taken", db: Connection) -> Iterator[str]:
        """Yield what a person may get, the best first: disputes if he is a lead, at the end what he has put aside."""
        skipped = leases.skipped(db, who.name)
        aside = set(skipped)
        if who.role == "lead":
            yield from (each for each in self._desk.opinions() if each not in aside and taken.seats(each).disputed)
        yield from (each for each in self._desk.in_order(next(self._turns)) if each not in aside)
        yield from skipped

    def _check(self, who: Person, sample_id: str, db: Connection, now: int) -> tuple[ReviewRequested, Seats]:
        request = self._desk.request(sample_id)
        if request is None:
            raise ReviewError(f"Sample {sample_id} does not wait for review any more")
        seats = _Taken(self._desk, self._terms, db, now).seats(sample_id)
        if why := seats.refusal(who):
            raise ReviewError(f"Sample {sample_id} can't be yours: {why}")
        return request, seats

    def _task(self, sample_id: str, taken: "_Taken", now: int) -> Task:
        request = self._desk.request(sample_id)
        if request is None:
            raise ReviewError(f"Sample {sample_id} does not wait for review any more")
        opinions = self._desk.opinions()[sample_id] if taken.seats(sample_id).disputed else ()
        return Task(request, now + self._terms.lease, opinions)


class _Taken:
    """Who is busy with what, as the log and the store say in one transaction."""

    def __init__(self, desk: Desk, terms: Terms, db: Connection, now: int) -> None:
        self._desk, self._terms = desk, terms
        self._leased = leases.live(db, now)
        self._leaving: dict[str, set[str]] = defaultdict(set)
        self._ruling: dict[str, set[str]] = defaultdict(set)
        for sample_id, reviewer, adjudicates in outbox.busy(db):
            (self._ruling if adjudicates else self._leaving)[sample_id].add(reviewer)

    def seats(self, sample_id: str) -> Seats:
        """Return the seats of a sample."""
        return Seats(
            needed=self._terms.needed(sample_id),
            given=frozenset(each.reviewer for each in self._desk.decisions.opinions.get(sample_id, ())),
            leaving=frozenset(self._leaving.get(sample_id, ())),
            ruling=frozenset(self._ruling.get(sample_id, ())),
            leased=self._leased.get(sample_id, frozenset()),
        )

    def is_free(self, sample_id: str, who: Person) -> bool:
        """Tell whether a sample waits and a person may have it."""
        return self._desk.is_open(sample_id) and not self.seats(sample_id).refusal(who)
