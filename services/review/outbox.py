"""Decisions between the click and the log: rows of the store, within its transaction.

pending   may be taken back               -> leaving once its time is over
leaving   may be in the log, or not yet   -> sent, or refused
sent      is in the log                   -> deleted once the desk has read it there
refused   was settled otherwise           -> deleted once the reviewer has been told
"""

from collections.abc import Iterable, Sequence
from sqlite3 import Connection
from typing import NamedTuple


class Row(NamedTuple):
    """One decision that leaves; `frame` is its event, which does not settle yet."""

    id: int
    event_id: str
    sample_id: str
    reviewer: str
    adjudicates: bool
    frame: bytes


class Refused(NamedTuple):
    """A decision that came too late."""

    id: int
    sample_id: str
    why: str


class Busy(NamedTuple):
    """Whose decision on a sample is in the outbox."""

    sample_id: str
    reviewer: str
    adjudicates: bool


def put(db: Connection, row: Row, leaves_at: int) -> int:
    """Add a decision, whose id is given by the store; an earlier one that was refused makes room."""
    db.execute("DELETE FROM outbox WHERE event_id = ? AND state = 'refused'", (row.event_id,))
    values = (row.event_id, row.sample_id, row.reviewer, leaves_at, row.adjudicates, row.frame)
    made = db.execute(
        "INSERT INTO outbox (event_id, sample_id, reviewer, leaves_at, adjudicates, state, frame) "
        "VALUES (?, ?, ?, ?, ?, 'pending', ?)",
        values,
    )
    return made.lastrowid or 0


def take_back(db: Connection, reviewer: str, now: int) -> str | None:
    """Delete a person's last decision if its time is not over; returns its sample."""
    row = db.execute(
        "SELECT id, sample_id FROM outbox WHERE reviewer = ? AND state = 'pending' AND leaves_at > ? "
        "ORDER BY id DESC LIMIT 1",
        (reviewer, now),
    ).fetchone()
    if row is None:
        return None
    db.execute("DELETE FROM outbox WHERE id = ?", row[:1])
    sample_id: str = row[1]
    return sample_id


def busy(db: Connection) -> list[Busy]:
    """Return whose decisions on what count although the log may not have them."""
    rows = db.execute("SELECT sample_id, reviewer, adjudicates FROM outbox WHERE state != 'refused'")
    return [Busy(sample_id, reviewer, bool(adjudicates)) for sample_id, reviewer, adjudicates in rows]


def is_due(db: Connection, now: int) -> bool:
    """Tell whether something is to leave."""
    query = "SELECT 1 FROM outbox WHERE state = 'leaving' OR (state = 'pending' AND leaves_at <= ?) LIMIT 1"
    return db.execute(query, (now,)).fetchone() is not None


def claim(db: Connection, now: int, most: int) -> list[Row]:
    """Return the oldest decisions that are to leave; from now on nobody can take them back."""
    rows = db.execute(
        "UPDATE outbox SET state = 'leaving' WHERE id IN (SELECT id FROM outbox "
        "WHERE state = 'leaving' OR (state = 'pending' AND leaves_at <= ?) ORDER BY id LIMIT ?) "
        "RETURNING id, event_id, sample_id, reviewer, adjudicates, frame",
        (now, most),
    )
    return sorted(Row(*row) for row in rows)


def mark(db: Connection, sent: Iterable[int], refused: Sequence[tuple[int, str]]) -> None:
    """Note what is in the log, and what never will be, and why."""
    db.executemany("UPDATE outbox SET state = 'sent' WHERE id = ?", [(row,) for row in sent])
    db.executemany("UPDATE outbox SET state = 'refused', why = ? WHERE id = ?", [(why, row) for row, why in refused])


def sent(db: Connection) -> list[tuple[int, str]]:
    """Return the ids and event ids of what is in the log."""
    return list(db.execute("SELECT id, event_id FROM outbox WHERE state = 'sent'"))


def refused(db: Connection, reviewer: str) -> list[Refused]:
    """Return a person's decisions that came too late, the oldest first."""
    query = "SELECT id, sample_id, why FROM outbox WHERE state = 'refused' AND reviewer = ? ORDER BY id"
    return [Refused(*row) for row in db.execute(query, (reviewer,))]


def drop(db: Connection, rows: Iterable[int]) -> None:
    """Delete rows that are in the log."""
    db.executemany("DELETE FROM outbox WHERE id = ? AND state = 'sent'", [(row,) for row in rows])


def acknowledge(db: Connection, reviewer: str, row: int) -> None:
    """Delete a decision that came too late: its reviewer has been told."""
    db.execute("DELETE FROM outbox WHERE id = ? AND state = 'refused' AND reviewer = ?", (row, reviewer))
