"""Who has which sample before him, and who has put which aside: rows of the store, within its transaction."""

from collections import defaultdict
from sqlite3 import Connection


def live(db: Connection, now: int) -> dict[str, frozenset[str]]:
    """Return who has each sample that somebody has."""
    found: dict[str, set[str]] = defaultdict(set)
    for sample_id, reviewer in db.execute("SELECT sample_id, reviewer FROM leases WHERE until > ?", (now,)):
        found[sample_id].add(reviewer)
    return {sample_id: frozenset(people) for sample_id, people in found.items()}


def held(db: Connection, reviewer: str, now: int) -> list[str]:
    """Return what a person has, the newest first."""
    rows = db.execute("SELECT sample_id FROM leases WHERE reviewer = ? AND until > ? ORDER BY id DESC", (reviewer, now))
    return [sample_id for (sample_id,) in rows]


def take(db: Connection, reviewer: str, sample_id: str, until: int) -> None:
    """Give a person a sample, or let him keep it longer."""
    db.execute(
        "INSERT INTO leases (reviewer, sample_id, until) VALUES (?, ?, ?) "
        "ON CONFLICT DO UPDATE SET until = excluded.until",
        (reviewer, sample_id, until),
    )


def give_back(db: Connection, reviewer: str, sample_id: str) -> None:
    """Take a sample from a person."""
    db.execute("DELETE FROM leases WHERE reviewer = ? AND sample_id = ?", (reviewer, sample_id))


def give_all_back(db: Connection, reviewer: str) -> None:
    """Take everything from a person."""
    db.execute("DELETE FROM leases WHERE reviewer = ?", (reviewer,))


def skip(db: Connection, reviewer: str, sample_id: str) -> None:
    """Put a sample at the end of what a person gets."""
    give_back(db, reviewer, sample_id)
    db.execute("INSERT OR REPLACE INTO skips (reviewer, sample_id) VALUES (?, ?)", (reviewer, sample_id))


def skipped(db: Connection, reviewer: str) -> list[str]:
    """Return what a person has put aside, the longest ago first."""
    return [row[0] for row in db.execute("SELECT sample_id FROM skips WHERE reviewer = ? ORDER BY id", (reviewer,))]


def samples(db: Connection) -> list[str]:
    """Return every sample that has a lease or was skipped."""
    return [row[0] for row in db.execute("SELECT sample_id FROM leases UNION SELECT sample_id FROM skips")]


def forget(db: Connection, sample_id: str) -> None:
    """Delete what is known of a sample."""
    for table in ("leases", "skips"):
        db.execute(f"DELETE FROM {table} WHERE sample_id = ?", (sample_id,))  # noqa: S608 - two names of ours


def forget_expired(db: Connection, now: int) -> None:
    """Delete leases that are over."""
    db.execute("DELETE FROM leases WHERE until <= ?", (now,))
