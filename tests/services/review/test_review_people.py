import doctest
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import ModuleType

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.low_level import Type
from hypothesis import given
from hypothesis import strategies as st

from services.review import agreement, attempts, people
from services.review.attempts import FREE_OF_A_NAME, FREE_OF_AN_ADDRESS, HOUR_MS, wait
from services.review.errors import LoginError, StoreError
from services.review.login import LASTS_MS, forget_expired, login, logout, person
from services.review.seats import Person
from services.review.store import Store

NOW = 1_000_000_000
PASSWORD = "correct horse"


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "_HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    people._nobody.cache_clear()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store(tmp_path / "f")) as made:
        with made.transaction() as db:
            people.add(db, "ann", "lead", PASSWORD)
        yield made


def noted(store: Store) -> int:
    with store.transaction() as db:
        count: int = db.execute("SELECT count(*) FROM attempts").fetchone()[0]
        return count


def test_passwords_are_kept_as_argon2id_as_strong_as_the_library_advises() -> None:
    from importlib import reload

    hasher = reload(people)._HASHER
    assert hasher.type is Type.ID
    assert (hasher.memory_cost, hasher.time_cost) >= (65_536, 3)


def test_who_knows_the_password_comes_in_for_twelve_hours(store: Store) -> None:
    token = login(store, "ann", PASSWORD, "10.0.0.1", NOW)
    assert len(token) >= 43
    assert person(store, token, NOW + LASTS_MS - 1) == Person("ann", "lead")
    assert person(store, token, NOW + LASTS_MS) is None
    assert person(store, token[:-1], NOW) is None
    assert noted(store) == 0
    with store.transaction() as db:
        (kept,) = db.execute("SELECT token FROM sessions").fetchone()
        (hashed,) = db.execute("SELECT password FROM reviewers").fetchone()
    assert (len(kept), token.encode() in kept) == (32, False)
    assert extract_parameters(hashed).type is Type.ID
    logout(store, token)
    assert person(store, token, NOW) is None


@pytest.mark.parametrize(("name", "password"), [("ann", "wrong horse"), ("bob", PASSWORD), ("ann", ""), ("bob", "")])
def test_who_does_not_is_told_no_more_than_that(store: Store, name: str, password: str) -> None:
    with pytest.raises(LoginError, match=r"^The name or the password is wrong$"):
        login(store, name, password, "10.0.0.1", NOW)
    assert noted(store) == 2


def test_tries_have_to_wait_longer_each_time_by_name_and_by_address(store: Store) -> None:
    for n in range(FREE_OF_A_NAME):
        with pytest.raises(LoginError, match="wrong"):
            login(store, "ann", "x", f"10.0.0.{n}", NOW)
    with pytest.raises(LoginError, match="try again in 1 s"):
        login(store, "ann", PASSWORD, "10.0.1.1", NOW)
    assert login(store, "ann", PASSWORD, "10.0.1.1", NOW + 1_000)
    for n in range(FREE_OF_AN_ADDRESS):
        with pytest.raises(LoginError, match="wrong"):
            login(store, f"n{n}", "x", "10.0.2.2", NOW)
    with pytest.raises(LoginError, match="try again in 1 s"):
        login(store, "new", "x", "10.0.2.2", NOW)
    with store.transaction() as db:
        forget_expired(db, NOW + HOUR_MS)
    assert noted(store) == 0


@given(st.lists(st.integers(0, 2 * HOUR_MS), max_size=60), st.integers(1, 20), st.integers(0, 3 * HOUR_MS))
def test_a_wait_ends_and_is_longer_after_more_failures(failures: list[int], free: int, now: int) -> None:
    failures = [at for at in failures if at <= now]
    pause = wait(failures, free, now)
    assert 0 <= pause <= 300_000
    assert wait(failures, free, now + pause) == 0
    assert wait([*failures, now], free, now) >= pause
    if len([at for at in failures if at > now - HOUR_MS]) < free:
        assert pause == 0


@pytest.mark.parametrize("module", [attempts, agreement])
def test_the_examples_are_true(module: ModuleType) -> None:
    assert doctest.testmod(module, raise_on_error=True).attempted > 0


def test_tries_at_the_same_moment_are_not_all_free(store: Store) -> None:
    told: list[str] = []

    def attempt() -> None:
        with pytest.raises(LoginError) as error:
            login(store, "ann", "x", "10.0.0.1", NOW)
        told.append(str(error.value))

    threads = [threading.Thread(target=attempt) for _ in range(3 * FREE_OF_A_NAME)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum("wrong" in each for each in told) == FREE_OF_A_NAME


def test_another_password_or_a_removal_ends_the_sessions(store: Store) -> None:
    first = login(store, "ann", PASSWORD, "a", NOW)
    with store.transaction() as db:
        people.change_password(db, "ann", "another horse")
    assert person(store, first, NOW) is None
    second = login(store, "ann", "another horse", "a", NOW)
    with store.transaction() as db:
        assert people.listed(db, NOW) == [("ann", "lead", 1)]
        people.remove(db, "ann")
        assert people.listed(db, NOW) == []
    assert person(store, second, NOW) is None


@pytest.mark.parametrize("name", ["", "Ann", "expiry", "a b", "../x", "-a", "x" * 64, "ann\n"])
def test_a_name_is_short_and_plain_and_not_the_expirys(store: Store, name: str) -> None:
    with store.transaction() as db, pytest.raises(StoreError, match="can't be a reviewer's name"):
        people.add(db, name, "viewer", PASSWORD)


def test_what_is_not_there_or_there_already_is_told(store: Store) -> None:
    with store.transaction() as db:
        with pytest.raises(StoreError, match="There is a reviewer ann already"):
            people.add(db, "ann", "viewer", PASSWORD)
        for change in (lambda: people.remove(db, "bob"), lambda: people.change_password(db, "bob", PASSWORD)):
            with pytest.raises(StoreError, match="There is no reviewer bob"):
                change()
        for password in ("short", "x" * 1_001):
            with pytest.raises(StoreError, match="8 to 1000 characters"):
                people.add(db, "bob", "viewer", password)
