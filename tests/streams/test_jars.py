import hashlib
import re
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from streams.errors import EmbeddedKafkaError
from streams.jars import PINNED, fetch

NAMES = ["one", "two", "three"]


class Registry:
    """Stands in for jgo: hands out files of its own and counts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked: list[str] = []
        folder.mkdir()
        for name in NAMES:
            (folder / name).write_bytes(name.encode() * 1000)

    def __call__(self, group: str, artifact: str, version: str) -> Path:
        assert (group, version) == ("org.x", "1.0")
        self.asked.append(artifact)
        return self.folder / artifact

    def pin(self, path: Path) -> Path:
        lines = [f"org.x:{n}:1.0  {hashlib.sha256((self.folder / n).read_bytes()).hexdigest()}" for n in NAMES]
        path.write_text("\n".join(lines) + "\n")
        return path


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "registry")


@pytest.fixture
def pinned(registry: Registry, tmp_path: Path) -> Path:
    return registry.pin(tmp_path / "list.txt")


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "a" / "cache"


def message(call: Callable[[], object]) -> str:
    with pytest.raises(EmbeddedKafkaError) as caught:
        call()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_list_is_whole_and_well_formed() -> None:
    lines = PINNED.read_text().splitlines()
    assert all(re.fullmatch(r"[\w.-]+:[\w.-]+:[\w.-]+  [0-9a-f]{64}", line) for line in lines)
    versions = {line.split()[0].split(":")[1]: line.split()[0].split(":")[2] for line in lines}
    assert len(versions) == len(lines) == 46
    assert versions["kafka_2.13"] == versions["kafka-clients"] == "4.3.1"
    assert versions["slf4j-simple"] == versions["slf4j-api"]


def test_every_jar_arrives_in_the_lists_order(registry: Registry, pinned: Path, cache: Path) -> None:
    done: list[tuple[int, int]] = []
    jars = fetch(cache, resolver=registry, pinned=pinned, progress=lambda n, of: done.append((n, of)))
    assert jars == [cache / f"{name}-1.0.jar" for name in NAMES]
    assert [jar.read_bytes() for jar in jars] == [name.encode() * 1000 for name in NAMES]
    assert done == [(1, 3), (2, 3), (3, 3)]
    assert sorted(p.name for p in cache.iterdir()) == sorted([*(j.name for j in jars), "verified.txt"])


@pytest.mark.alone
def test_a_second_fetch_asks_nobody_and_is_fast(registry: Registry, pinned: Path, cache: Path) -> None:
    first = fetch(cache, resolver=registry, pinned=pinned)
    registry.asked.clear()
    began = time.monotonic()
    assert fetch(cache, resolver=registry, pinned=pinned) == first
    assert time.monotonic() - began < 0.05
    assert registry.asked == []


def test_a_jar_that_was_deleted_comes_back(registry: Registry, pinned: Path, cache: Path) -> None:
    jars = fetch(cache, resolver=registry, pinned=pinned)
    registry.asked.clear()
    jars[1].unlink()
    fetch(cache, resolver=registry, pinned=pinned)
    assert registry.asked == ["two"]
    assert jars[1].exists()


def test_a_jar_that_was_cut_short_is_replaced(registry: Registry, pinned: Path, cache: Path) -> None:
    jars = fetch(cache, resolver=registry, pinned=pinned)
    jars[0].write_bytes(b"on")
    fetch(cache, resolver=registry, pinned=pinned)
    assert jars[0].read_bytes() == b"one" * 1000


def test_a_jar_that_was_put_there_by_hand_is_verified_and_needs_no_network(
    registry: Registry, pinned: Path, cache: Path
) -> None:
    cache.mkdir(parents=True)
    (cache / "one-1.0.jar").write_bytes(b"one" * 1000)
    (cache / "two-1.0.jar").write_bytes(b"something else")
    fetch(cache, resolver=registry, pinned=pinned)
    assert registry.asked == ["two", "three"]
    assert (cache / "two-1.0.jar").read_bytes() == b"two" * 1000


def test_a_new_list_is_verified_anew(registry: Registry, pinned: Path, cache: Path) -> None:
    fetch(cache, resolver=registry, pinned=pinned)
    (registry.folder / "three").write_bytes(b"3")
    registry.pin(pinned)
    assert fetch(cache, resolver=registry, pinned=pinned)[2].read_bytes() == b"3"


def test_a_wrong_checksum_removes_the_jar_and_says_so(registry: Registry, pinned: Path, cache: Path) -> None:
    (registry.folder / "two").write_bytes(b"evil")
    cache.mkdir(parents=True)
    (cache / "two-1.0.jar").write_bytes(b"evil")
    told = message(lambda: fetch(cache, resolver=registry, pinned=pinned))
    assert "two-1.0.jar" in told
    assert str(cache) in told
    assert not (cache / "two-1.0.jar").exists()
    (registry.folder / "two").write_bytes(b"two" * 1000)
    assert len(fetch(cache, resolver=registry, pinned=pinned)) == 3


@pytest.mark.parametrize("error", [ConnectionError("https://example"), TimeoutError(), RuntimeError("not found")])
def test_no_network_says_what_to_do(pinned: Path, cache: Path, error: Exception) -> None:
    def away(_group: str, _artifact: str, _version: str) -> Path:
        raise error

    told = message(lambda: fetch(cache, resolver=away, pinned=pinned))
    assert told.startswith(f"one-1.0.jar could not be downloaded ({type(error).__name__}); check the network")
    assert "https" not in told
    assert list(cache.iterdir()) == []


def test_a_full_disk_is_not_called_a_network_fault(pinned: Path, cache: Path) -> None:
    def full(_group: str, _artifact: str, _version: str) -> Path:
        raise OSError(28, "No space left on device")

    assert "is full" in message(lambda: fetch(cache, resolver=full, pinned=pinned))


def test_a_cache_that_cannot_be_written_is_named(registry: Registry, pinned: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    told = message(lambda: fetch(tmp_path / "file", resolver=registry, pinned=pinned))
    assert str(tmp_path / "file") in told


def test_two_may_fetch_at_once(registry: Registry, pinned: Path, cache: Path) -> None:
    failed: list[BaseException] = []

    def slow(group: str, artifact: str, version: str) -> Path:
        time.sleep(0.01)
        return registry(group, artifact, version)

    def run() -> None:
        try:
            fetch(cache, resolver=slow, pinned=pinned)
        except BaseException as error:  # noqa: BLE001 - the main thread must see it
            failed.append(error)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert len(list(cache.iterdir())) == 4


def test_jgo_downloads_a_pinned_jar_and_leaves_nothing_else(cache: Path, tmp_path: Path) -> None:
    line = next(line for line in PINNED.read_text().splitlines() if ":slf4j-simple:" in line)
    (tmp_path / "one.txt").write_text(line)
    try:
        [jar] = fetch(cache, pinned=tmp_path / "one.txt")
    except EmbeddedKafkaError as error:
        pytest.skip(str(error))
    assert hashlib.sha256(jar.read_bytes()).hexdigest() == line.split()[1]
    assert sorted(p.name for p in cache.iterdir()) == [jar.name, "verified.txt"]
