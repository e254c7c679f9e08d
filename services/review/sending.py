"""Sends what the outbox has to the log: many decisions in one transaction, each once whoever dies when.

What is in the log already is only marked, so that a crash between the commit and the mark doubles nothing.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

from services.review import leases, login, outbox
from services.review.desk import Desk
from services.review.fencing import fenced
from services.review.outbox import Row
from services.review.overlap import settles
from services.review.store import Store
from services.review.terms import Terms
from services.review.verdict import settled
from streams.broker import Broker
from streams.codec import Codec
from streams.errors import DecodeError
from streams.events import ReviewSubmitted
from streams.writer import Output

_AT_ONCE = 500


class Batch(NamedTuple):
    """What becomes of some rows: events to write, rows that are in the log then, and rows refused with the reason."""

    outputs: list[Output]
    sent: list[int]
    refused: list[tuple[int, str]]


def send(broker: Broker, codec: Codec, pipeline: str, desk: Desk, store: Store, *, terms: Terms, now: int) -> int:
    """Send up to 500 decisions whose time has come; returns how many rows were done with.

    Blocks. Raises AbortableError after an aborted transaction: nothing was written, the same rows leave at the next
    call.
    """
    with store.transaction() as db:
        if not outbox.is_due(db, now):
            return 0
    with fenced(broker, codec, pipeline) as writer:
        desk.catch_up()
        with store.transaction() as db:
            rows = outbox.claim(db, now, _AT_ONCE)
        batch = planned(rows, desk, codec, terms)
        if batch.outputs:
            writer.write(writer.encode(batch.outputs))
    with store.transaction() as db:
        outbox.mark(db, batch.sent, batch.refused)
    return len(rows)


def tidy(store: Store, desk: Desk, now: int) -> None:
    """Throw away what the log knows by now, leases and skips of what it has settled, and what is over."""
    with desk.lock, store.transaction() as db:
        outbox.drop(db, [row for row, event_id in outbox.sent(db) if desk.decisions.has(event_id)])
        leases.forget_expired(db, now)
        login.forget_expired(db, now)
        for sample_id in leases.samples(db):
            if desk.decisions.is_settled(sample_id):
                leases.forget(db, sample_id)


def planned(rows: Iterable[Row], desk: Desk, codec: Codec, terms: Terms) -> Batch:
    """Decide what becomes of rows, in their order: a row sees what those before it have said."""
    batch = Batch([], [], [])
    said: dict[str, tuple[ReviewSubmitted, ...]] = desk.opinions()
    done: set[str] = set()
    for row in rows:
        request = None if row.sample_id in done else desk.request(row.sample_id)
        if desk.decisions.has(row.event_id):
            batch.sent.append(row.id)
        elif request is None:
            batch.refused.append((row.id, f"Sample {row.sample_id} was decided otherwise before your decision left"))
        else:
            decision, opinions = _decoded(codec, row), said.get(row.sample_id, ())
            if row.adjudicates or settles(opinions, decision, terms.needed(row.sample_id)):
                batch.outputs.extend(settled(request, decision, () if row.adjudicates else opinions))
                done.add(row.sample_id)
            else:
                batch.outputs.append(Output("decision", row.sample_id, replace(decision, settles=False)))
                said[row.sample_id] = (*opinions, decision)
            batch.sent.append(row.id)
    return batch


def _decoded(codec: Codec, row: Row) -> ReviewSubmitted:
    event = codec.decode(row.frame)
    if not isinstance(event, ReviewSubmitted):
        raise DecodeError(f"a {type(event).__name__} lies in the outbox")
    return event
