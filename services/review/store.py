"""What must outlive the stage's process and is in no topic: reviewers, sessions, leases, and decisions to be sent.

One SQLite file in the pipeline's state folder, for its owner alone. All but the outbox and the reviewers is a cache.
"""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from services.review.errors import StoreError
from streams.errors import UnavailableError

FILE = "review.sqlite"
VERSION = 1
_BUSY_SECONDS = 10.0
_SCHEMA = """
CREATE TABLE reviewers (name TEXT PRIMARY KEY, role TEXT NOT NULL, password TEXT NOT NULL) STRICT;
CREATE TABLE sessions (
  token BLOB PRIMARY KEY,
  reviewer TEXT NOT NULL REFERENCES reviewers ON DELETE CASCADE,
  expires_at INTEGER NOT NULL
) STRICT;
CREATE TABLE attempts (id INTEGER PRIMARY KEY, who TEXT NOT NULL, at INTEGER NOT NULL) STRICT;
CREATE INDEX attempts_who ON attempts (who);
CREATE TABLE leases (
  id INTEGER PRIMARY KEY,
  sample_id TEXT NOT NULL,
  reviewer TEXT NOT NULL REFERENCES reviewers ON DELETE CASCADE,
  until INTEGER NOT NULL,
  UNIQUE (reviewer, sample_id)
) STRICT;
CREATE TABLE skips (
  id INTEGER PRIMARY KEY,
  sample_id TEXT NOT NULL,
  reviewer TEXT NOT NULL REFERENCES reviewers ON DELETE CASCADE,
  UNIQUE (reviewer, sample_id)
) STRICT;
CREATE TABLE outbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  event_id TEXT NOT NULL UNIQUE,
  sample_id TEXT NOT NULL,
  reviewer TEXT NOT NULL,
  leaves_at INTEGER NOT NULL,
  adjudicates INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('pending', 'leaving', 'sent', 'refused')),
  why TEXT NOT NULL DEFAULT '',
  frame BLOB NOT NULL
) STRICT;
"""


class Store:
    """The file, for all threads of a process; other processes may use it too."""

    def __init__(self, path: Path) -> None:
        """Open the file, or make it; raises StoreError where it can't be used."""
        self._lock = threading.Lock()
        self._path = path
        try:
            _claim(path)
            self._db = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
            try:
                self._prepare()
            except BaseException:
                self._db.close()
                raise
        except (OSError, sqlite3.Error) as error:
            raise StoreError(f"{path} can't be used as the file of reviewers ({error}); move it away") from error

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Yield the connection; what is done with it is durable afterwards, or undone if anything is raised. Blocks."""
        with self._lock:
            try:
                self._db.execute("BEGIN IMMEDIATE")
                try:
                    yield self._db
                    self._db.execute("COMMIT")
                except BaseException:
                    if self._db.in_transaction:
                        self._db.execute("ROLLBACK")
                    raise
            except sqlite3.OperationalError as error:
                raise UnavailableError(f"{self._path} can't be written ({error}); look at its disk") from error

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def _prepare(self) -> None:
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
            self._db.execute(f"PRAGMA {pragma}")
        self._db.execute("BEGIN IMMEDIATE")
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        if version > VERSION:
            raise StoreError(
                f"{self._path} was written by a newer Ballast (version {version} of the file, {VERSION} is known); "
                "use that Ballast, or move the file away"
            )
        if version == 0:
            for statement in _SCHEMA.split(";\n"):
                self._db.execute(statement)
            self._db.execute(f"PRAGMA user_version = {VERSION}")
        self._db.execute("COMMIT")


def _claim(path: Path) -> None:
    """Make the file its owner's before anything is in it; SQLite gives the files beside it the same rights."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        os.fchmod(handle, 0o600)
    finally:
        os.close(handle)
