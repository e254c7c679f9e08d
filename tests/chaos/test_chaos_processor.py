"""SIGKILL and SIGSTOP at random moments: every input is handled exactly once, and the tests would notice if not."""

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from chaos.harness import Feed, Reader, Workers, shake

from streams.embedded import EmbeddedKafka
from streams.java import find_java
from streams.kafka import KafkaBroker
from streams.topics import ensure

pytestmark = pytest.mark.alone
FULL = os.environ.get("BALLAST_CHAOS") == "full"
FAULTS = 48 if FULL else 6
MOST_ROUNDS = 8
SEED = int(os.environ.get("BALLAST_CHAOS_SEED", "0")) or random.SystemRandom().randrange(10**6)


@pytest.fixture(scope="module")
def broker(kafka_jars: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedKafka]:
    with EmbeddedKafka(data_dir=tmp_path_factory.mktemp("kafka"), jars=kafka_jars, java=find_java(None)) as kafka:
        yield kafka


@pytest.fixture
def pipeline(broker: EmbeddedKafka, unique: Callable[[str], str]) -> str:
    """Name a pipeline of this test alone: members that were killed stay in their group for some seconds."""
    made = unique("chaos")
    ensure(KafkaBroker(broker.start()), made)
    return made


def kill(broker: EmbeddedKafka) -> None:
    os.kill(broker.pid or 0, signal.SIGKILL)
    while broker.alive:
        time.sleep(0.01)


def wait_until_handled(bootstrap: str, pipeline: str, workers: Workers, count: int) -> Reader:
    reader = Reader(bootstrap, pipeline, "read_committed")
    deadline = time.monotonic() + 120
    while len(reader.seen) < count and time.monotonic() < deadline:
        workers.revive()
        reader.catch_up()
    return reader


def uncommitted(bootstrap: str, pipeline: str) -> int:
    reader = Reader(bootstrap, pipeline, "read_uncommitted")
    reader.catch_up()
    reader.close()
    return reader.seen.total()


@pytest.mark.timeout(900)
@pytest.mark.parametrize("broker_dies", [False, True])
def test_every_input_is_handled_exactly_once(
    broker: EmbeddedKafka, pipeline: str, tmp_path: Path, broker_dies: bool
) -> None:
    print(f"BALLAST_CHAOS_SEED={SEED}")
    bootstrap = broker.start()
    feed, rng = Feed(bootstrap, pipeline), random.Random(SEED)
    workers = Workers(bootstrap, pipeline, "dawdling", tmp_path)
    faults = 0
    try:
        for _ in range(MOST_ROUNDS):
            shake(workers, rng, FAULTS)
            faults += FAULTS
            if broker_dies:
                kill(broker)
                broker.start()
                faults += 1
            workers.thaw()
            count = feed.stop()
            reader = wait_until_handled(bootstrap, pipeline, workers, count)
            spilt = uncommitted(bootstrap, pipeline) - reader.seen.total()
            if spilt > 0 or broker_dies:
                break
            reader.close()
            feed = Feed(bootstrap, pipeline, count)
        deadline = time.monotonic() + 30
        while any(zombie.poll() is None for zombie in workers.zombies) and time.monotonic() < deadline:
            workers.revive()  # one that was frozen before it had joined may have fenced its successor
            time.sleep(0.1)
        alive = [zombie for zombie in workers.zombies if zombie.poll() is None]
    finally:
        feed.stop()
        workers.stop()
    print(f"{faults} faults, {count} inputs, {reader.seen.total()} outputs, {spilt} aborted records on top")
    fed = Reader(bootstrap, pipeline, "read_committed", "generate")
    fed.catch_up()
    fed.close()
    assert set(fed.seen.values()) == {1}, "the feed itself wrote an input twice, so this run shows nothing"
    assert set(reader.seen) == {str(number) for number in range(count)}
    assert set(reader.seen.values()) == {1}
    assert spilt > 0 or broker_dies, "no fault hit an open transaction: the test had no teeth"
    assert alive == [], "a zombie that came back was not fenced"
    # Beside a dead broker a zombie may end by that, before it meets its successor.
    assert broker_dies or "FatalError" in workers.output() or not workers.zombies


@pytest.mark.timeout(600)
def test_a_killed_stage_is_back_at_work_in_seconds(broker: EmbeddedKafka, pipeline: str, tmp_path: Path) -> None:
    bootstrap = broker.start()
    feed, reader = Feed(bootstrap, pipeline), Reader(bootstrap, pipeline, "read_committed")
    workers = Workers(bootstrap, pipeline, "transactions", tmp_path)
    seconds = []
    try:
        while not reader.seen:
            reader.catch_up(polls=1)
        for _ in range(10 if FULL else 1):
            workers.kill_all()
            reader.catch_up()  # what they had committed: whatever comes later is new work
            before, restarted = len(reader.seen), time.monotonic()
            workers.revive()
            while len(reader.seen) == before and time.monotonic() < restarted + 60:
                reader.catch_up(polls=1)
            seconds.append(time.monotonic() - restarted)
    finally:
        feed.stop()
        workers.stop()
    print(f"{len(seconds)} times all slots killed; from restart to the first commit {sorted(seconds)} s")
    assert max(seconds) < (5 if FULL else 60)


@pytest.mark.timeout(600)
def test_without_transactions_the_same_faults_make_doubles(
    broker: EmbeddedKafka, pipeline: str, tmp_path: Path
) -> None:
    bootstrap = broker.start()
    feed, rng = Feed(bootstrap, pipeline), random.Random(SEED)
    workers = Workers(bootstrap, pipeline, "plain", tmp_path)
    reader = Reader(bootstrap, pipeline, "read_committed")
    try:
        for _ in range(MOST_ROUNDS):
            shake(workers, rng, 6)
            reader.catch_up(polls=20)
            if max(reader.seen.values(), default=0) > 1:
                break
    finally:
        feed.stop()
        workers.stop()
    doubled = sum(times > 1 for times in reader.seen.values())
    print(f"{doubled} of {len(reader.seen)} doubled without transactions")
    assert doubled > 0
