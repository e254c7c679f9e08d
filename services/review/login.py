"""Coming in: a name and a password give a session, whose token only the reviewer has; the store has its hash."""

import secrets
from hashlib import sha256
from sqlite3 import Connection

from services.review import attempts, people
from services.review.errors import LoginError
from services.review.seats import Person
from services.review.store import Store

LASTS_MS = 12 * 3_600_000


def login(store: Store, name: str, password: str, address: str, now: int) -> str:
    """Return the token of a new session; raises LoginError. Blocks for some 50 ms.

    The try counts as a failure until it is none, so that tries at the same moment can't all be free.
    """
    with store.transaction() as db:
        _check_attempts(db, name, address, now)
        tries = [_note(db, who, now) for who in _keys(name, address)]
        hashed = people.password_of(db, name)
    if not people.is_password(hashed, password):
        raise LoginError("The name or the password is wrong")
    token = secrets.token_urlsafe(32)
    with store.transaction() as db:
        if people.password_of(db, name) != hashed:
            raise LoginError("The name or the password is wrong")
        db.executemany("DELETE FROM attempts WHERE id = ?", [(row,) for row in tries])
        db.execute("INSERT INTO sessions VALUES (?, ?, ?)", (_stored(token), name, now + LASTS_MS))
    return token


def person(store: Store, token: str, now: int) -> Person | None:
    """Return whose session a token is; None if it is none, or is over."""
    with store.transaction() as db:
        row = db.execute(
            "SELECT name, role FROM sessions JOIN reviewers ON name = reviewer WHERE token = ? AND expires_at > ?",
            (_stored(token), now),
        ).fetchone()
    return row and Person(*row)


def logout(store: Store, token: str) -> None:
    """End a session."""
    with store.transaction() as db:
        db.execute("DELETE FROM sessions WHERE token = ?", (_stored(token),))


def forget_expired(db: Connection, now: int) -> None:
    """Delete sessions that are over and failures that nobody asks for."""
    db.execute("DELETE FROM sessions WHERE expires_at <= ?", (now,))
    db.execute("DELETE FROM attempts WHERE at <= ?", (now - attempts.HOUR_MS,))


def _check_attempts(db: Connection, name: str, address: str, now: int) -> None:
    free = (attempts.FREE_OF_A_NAME, attempts.FREE_OF_AN_ADDRESS)
    for who, most in zip(_keys(name, address), free, strict=True):
        failures = [at for (at,) in db.execute("SELECT at FROM attempts WHERE who = ?", (who,))]
        if pause := attempts.wait(failures, most, now):
            raise LoginError(f"There were too many tries; try again in {-(-pause // 1000)} s")


def _keys(name: str, address: str) -> tuple[str, str]:
    return f"name {name[:100]}", f"address {address}"


def _note(db: Connection, who: str, now: int) -> int:
    return db.execute("INSERT INTO attempts (who, at) VALUES (?, ?)", (who, now)).lastrowid or 0


def _stored(token: str) -> bytes:
    return sha256(token.encode(errors="replace")).digest()
