import sqlite3
import stat
import threading
from contextlib import closing
from pathlib import Path

import pytest

from services.review.errors import StoreError
from services.review.store import VERSION, Store
from streams.errors import UnavailableError

COUNT = "SELECT count(*) FROM reviewers"
ADD = "INSERT INTO reviewers VALUES (?, 'lead', '')"


def test_the_file_and_those_beside_it_are_their_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "state" / "review.sqlite"
    with closing(Store(path)) as store, store.transaction() as db:
        db.execute(ADD, ("a",))
        files = sorted(path.parent.iterdir())
        assert [file.name for file in files] == ["review.sqlite", "review.sqlite-shm", "review.sqlite-wal"]
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_a_file_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    path = tmp_path / "review.sqlite"
    path.touch(0o644)
    Store(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_is_committed_is_on_the_disk_and_there_again(tmp_path: Path) -> None:
    with closing(Store(tmp_path / "f")) as store:
        with store.transaction() as db:
            db.execute(ADD, ("a",))
            assert db.execute("PRAGMA synchronous").fetchone() == (2,)
            assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        with closing(Store(tmp_path / "f")) as other, other.transaction() as db:
            assert db.execute(COUNT).fetchone() == (1,)


def test_a_transaction_that_raises_leaves_nothing(tmp_path: Path) -> None:
    with closing(Store(tmp_path / "f")) as store:
        with pytest.raises(sqlite3.IntegrityError), store.transaction() as db:
            db.executemany(ADD, [("a",), ("a",)])
        with store.transaction() as db:
            assert db.execute(COUNT).fetchone() == (0,)


def test_a_newer_file_is_refused_and_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "f"
    Store(path).close()
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA user_version = {VERSION + 1}")
    with pytest.raises(StoreError, match=r"written by a newer Ballast .*; use that Ballast, or move the file away$"):
        Store(path)
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (VERSION + 1,)


def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"no database at all" * 100)
    with pytest.raises(StoreError, match="can't be used as the file of reviewers"):
        Store(path)
    with pytest.raises(StoreError, match="can't be used as the file of reviewers"):
        Store(tmp_path)


def test_a_file_that_another_process_keeps_locked_is_unavailable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.review.store._BUSY_SECONDS", 0.01)
    with (
        closing(Store(tmp_path / "f")) as first,
        closing(Store(tmp_path / "f")) as second,
        first.transaction(),
        pytest.raises(UnavailableError, match="can't be written"),
        second.transaction(),
    ):
        pass


def test_threads_take_turns(tmp_path: Path) -> None:
    with closing(Store(tmp_path / "f")) as store:

        def add(name: str) -> None:
            for _ in range(5):
                with store.transaction() as db:
                    (count,) = db.execute(COUNT).fetchone()
                    db.execute(ADD, (f"{name}{count}",))

        threads = [threading.Thread(target=add, args=(name,)) for name in "abcdef"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with store.transaction() as db:
            names = [name for (name,) in db.execute("SELECT name FROM reviewers")]
    assert sorted(int(name[1:]) for name in names) == list(range(30))
