"""Who may review: rows of the store, changed by the command `ballast reviewer`."""

import re
import threading
from functools import cache
from sqlite3 import Connection
from typing import NamedTuple

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from services.review.errors import StoreError
from services.review.seats import Person, Role
from services.review.verdict import EXPIRY

SHORTEST_PASSWORD = 8
_LONGEST_PASSWORD = 1_000
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_HASHER = PasswordHasher()  # argon2id with the parameters of RFC 9106 for little memory
_ONE_AT_A_TIME = threading.Lock()  # each takes 64 MB


class Listed(NamedTuple):
    """A reviewer with his number of open sessions."""

    name: str
    role: Role
    sessions: int


def add(db: Connection, name: str, role: Role, password: str) -> None:
    """Add a reviewer; raises StoreError."""
    if _NAME.fullmatch(name) is None or name == EXPIRY:
        raise StoreError(f"`{name}` can't be a reviewer's name; use small letters, digits, dots, dashes, underscores")
    if find(db, name) is not None:
        raise StoreError(f"There is a reviewer {name} already; change the password with `ballast reviewer passwd`")
    hashed = _hashed(password)
    db.execute("INSERT INTO reviewers (name, role, password) VALUES (?, ?, ?)", (name, role, hashed))


def change_password(db: Connection, name: str, password: str) -> None:
    """Give a reviewer another password, which ends his sessions; raises StoreError."""
    _require(db, name)
    db.execute("UPDATE reviewers SET password = ? WHERE name = ?", (_hashed(password), name))
    db.execute("DELETE FROM sessions WHERE reviewer = ?", (name,))


def remove(db: Connection, name: str) -> None:
    """Remove a reviewer with his sessions and leases; what he has decided stays. Raises StoreError."""
    _require(db, name)
    db.execute("DELETE FROM reviewers WHERE name = ?", (name,))


def listed(db: Connection, now: int) -> list[Listed]:
    """Return all reviewers by name."""
    rows = db.execute(
        "SELECT name, role, (SELECT count(*) FROM sessions WHERE reviewer = name AND expires_at > ?) "
        "FROM reviewers ORDER BY name",
        (now,),
    )
    return [Listed(*row) for row in rows]


def find(db: Connection, name: str) -> Person | None:
    """Return a reviewer."""
    row = db.execute("SELECT name, role FROM reviewers WHERE name = ?", (name,)).fetchone()
    return row and Person(*row)


def password_of(db: Connection, name: str) -> str:
    """Return the hash of a reviewer's password; for others one that no password has, so that they take as long."""
    row = db.execute("SELECT password FROM reviewers WHERE name = ?", (name,)).fetchone()
    found: str = row[0] if row else _nobody()
    return found


def is_password(hashed: str, password: str) -> bool:
    """Tell whether a password has this hash; takes some 50 ms and 64 MB on purpose."""
    if not 0 < len(password) <= _LONGEST_PASSWORD:
        return False
    try:
        with _ONE_AT_A_TIME:
            return _HASHER.verify(hashed, password)
    except (VerifyMismatchError, InvalidHashError):
        return False


@cache
def _nobody() -> str:
    return _HASHER.hash("")


def _hashed(password: str) -> str:
    if not SHORTEST_PASSWORD <= len(password) <= _LONGEST_PASSWORD:
        raise StoreError(f"A password has {SHORTEST_PASSWORD} to {_LONGEST_PASSWORD} characters; choose another")
    return _HASHER.hash(password)


def _require(db: Connection, name: str) -> None:
    if find(db, name) is None:
        raise StoreError(f"There is no reviewer {name}; `ballast reviewer list` shows all")
