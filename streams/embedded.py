"""Runs a real Kafka broker as a child process: one node on 127.0.0.1, its data in a folder that outlives it.

The folder has `log/` (Kafka's data), `server.properties`, `broker.log` (and the last run's), `tmp/` and `lock`.
"""

import errno
import fcntl
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Self

from streams.errors import EmbeddedKafkaError
from streams.guard import guarded
from streams.java import ClassArchive, major_version
from streams.loopback import HOST, answers, free_port, is_free, properties

_CLUSTER_ID = "MkU3OEVBNTcwNTJENDM2Qk"  # fixed: one in 64 random ids starts with "-", which the format tool rejects
_LEAST_ROOM_MB = 100
_LOCK_SECONDS = 1.5  # a broker whose parent was killed needs a moment to die
_STOP_SECONDS = 10.0
_ARCHIVE_SECONDS = 60.0  # the run that makes the class archive writes it as it ends
_ATTEMPTS = 3
_JVM_CRASHED = "fatal error has been detected by the Java Runtime"
_NOISE = ("\tat ", "WARNING:", "Error: A fatal exception", "Error: Could not create the Java Virtual Machine")
_PORT_TAKEN = "Address already in use"
_TERMINATED = (-signal.SIGTERM, 128 + signal.SIGTERM)
# Only we decide about the broker's JVM; the locale lets it open a folder of any name.
_ENVIRONMENT = ["env", "-u", "JAVA_TOOL_OPTIONS", "-u", "JDK_JAVA_OPTIONS", "LC_ALL=C.UTF-8"]
_JVM = [
    "-XX:+UseSerialGC",
    "-XX:+ExitOnOutOfMemoryError",
    "-XX:-UsePerfData",
    "-XX:-CreateCoredumpOnCrash",
    "-XX:ErrorFile=jvm-crash.log",
    "-Xlog:disable",
    "-Xlog:all=error:stderr",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSZ",
]


class EmbeddedKafka:
    """A broker on `data_dir`; with `quick` it starts sooner and is slower under load (for tests).

    A port once chosen stays for the life of the object, so that clients find a restarted broker again.
    """

    def __init__(
        self,
        *,
        data_dir: Path,
        jars: Sequence[Path],
        java: Path,
        port: int | None = None,
        heap: str = "512m",
        options: Mapping[str, str] = MappingProxyType({}),
        quick: bool = False,
    ) -> None:
        self._data_dir = data_dir.absolute()
        self._jars = [jar.absolute() for jar in jars]
        self._java = java.absolute()
        self._given_port, self._port = port, port
        self._options = options
        self._jvm = [*_JVM, f"-Xmx{heap}", f"-Djava.io.tmpdir={self._data_dir / 'tmp'}"]
        self._jvm += ["-XX:TieredStopAtLevel=1"] if quick else []
        self._archive: ClassArchive | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._lock: int | None = None

    @property
    def pid(self) -> int | None:
        """The broker's process, or None before the start and after the stop."""
        return self._process.pid if self._process else None

    @property
    def alive(self) -> bool:
        """Whether the broker's process runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def log_path(self) -> Path:
        """What the broker printed in this run."""
        return self._data_dir / "broker.log"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def start(self, timeout: float = 60.0) -> str:
        """Return the bootstrap address once the broker answers; does nothing more if it runs already.

        Blocks for 1 to 4 s as a rule and at most about `timeout`. Raises EmbeddedKafkaError. The broker dies with
        this process; on Linux call it from the main thread, or a second small process watches over it.
        """
        if not self.alive:
            self._release()
            deadline = time.monotonic() + timeout
            major = major_version(self._java)
            self._lock = _lock(self._data_dir)
            try:
                self._archive = ClassArchive(self._java, major, self._jars)
                self._bring_up(deadline)
            except BaseException:
                self._kill()
                raise
        return f"{HOST}:{self._port}"

    def stop(self) -> None:
        """End the broker, after 10 s by force, and let go of the folder; does nothing if it doesn't run."""
        process, archive = self._process, self._archive
        try:
            if process is not None and archive is not None and self.alive:
                process.terminate()
                process.wait(_ARCHIVE_SECONDS if archive.making else _STOP_SECONDS)
                if process.returncode in _TERMINATED:
                    archive.keep()
        except subprocess.TimeoutExpired:
            pass
        finally:
            self._kill()

    def _kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._release()

    def _release(self) -> None:
        self._process = None
        if self._archive is not None:
            self._archive.give_up()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _bring_up(self, deadline: float) -> None:
        for attempt in range(1, _ATTEMPTS + 1):
            self._choose_port()
            with _folder(self._data_dir):
                self._prepare(deadline)
                self._process = self._launch()
            if self._is_ready(deadline):
                return
            if attempt == _ATTEMPTS or not self._may_go_better():
                raise EmbeddedKafkaError(self._ended())

    def _choose_port(self) -> None:
        if self._port is not None and is_free(self._port):
            return
        if self._given_port is not None:
            raise EmbeddedKafkaError(f"Port {self._port} of {HOST} is taken; stop what listens there or choose another")
        self._port = free_port()

    def _prepare(self, deadline: float) -> None:
        """Lay out the folder, and format Kafka's part of it once."""
        shutil.rmtree(self._data_dir / "tmp", ignore_errors=True)  # a killed JVM leaves its native libraries there
        (self._data_dir / "tmp").mkdir()
        if self.log_path.exists():
            self.log_path.replace(self._data_dir / "broker.log.1")
        text = properties(self._port or 0, free_port(but=self._port), self._options)
        (self._data_dir / "server.properties").write_text(text, encoding="utf-8")
        if not (self._data_dir / "log" / "meta.properties").exists():
            self._format(text, deadline)

    def _format(self, text: str, deadline: float) -> None:
        """Format beside the right place and move: a format that was killed leaves nothing half done."""
        new = self._data_dir / "log.new"
        shutil.rmtree(new, ignore_errors=True)
        settings = self._data_dir / "format.properties"
        settings.write_text(text.replace("log.dirs=log\n", f"log.dirs={new.name}\n"), encoding="utf-8")
        tool = ["kafka.tools.StorageTool", "format", "-t", _CLUSTER_ID, "-c", settings.name]
        process = self._run(["-XX:TieredStopAtLevel=1"], tool)
        try:
            code = process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise EmbeddedKafkaError(self._too_slow()) from None
        finally:
            process.kill()
            process.wait()
        if code != 0:
            raise EmbeddedKafkaError(self._ended())
        new.replace(self._data_dir / "log")
        settings.unlink()

    def _launch(self) -> subprocess.Popen[bytes]:
        return self._run(self._archive.flags() if self._archive else [], ["kafka.Kafka", "server.properties"])

    def _run(self, flags: Sequence[str], main: Sequence[str]) -> subprocess.Popen[bytes]:
        class_path = ":".join(str(jar) for jar in self._jars)
        command = [*_ENVIRONMENT, str(self._java), *self._jvm, *flags, "-cp", class_path, *main]
        with self.log_path.open("ab") as log:
            return subprocess.Popen(  # noqa: S603 - the command is our own
                guarded(command),
                cwd=self._data_dir,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                process_group=0,  # Ctrl-C must reach the broker's users first
                pass_fds=[self._lock] if self._lock is not None else [],  # locked until the broker itself is gone
            )

    def _is_ready(self, deadline: float) -> bool:
        """Wait for the first answer; false if the broker ended instead."""
        while self.alive:
            if answers(self._port or 0, 1.0):
                return self.alive
            if time.monotonic() > deadline:
                raise EmbeddedKafkaError(self._too_slow())
            time.sleep(0.02)
        return False

    def _may_go_better(self) -> bool:
        """Remove the reason why the broker ended, if it is one that can be removed."""
        log = self._log()
        if _JVM_CRASHED in log and self._archive is not None and self._archive.used:
            self._archive.drop()
            return True
        return _PORT_TAKEN in log  # another process was quicker; the next attempt looks for free ones

    def _log(self) -> str:
        return self.log_path.read_text(encoding="utf-8", errors="replace") if self.log_path.exists() else ""

    def _ended(self) -> str:
        return f"The broker on {self._data_dir} ended as it started: {_reason(self._log())}; see {self.log_path}"

    def _too_slow(self) -> str:
        return f"The broker on {self._data_dir} did not answer in time; see {self.log_path} or allow it more seconds"


def _reason(log: str) -> str:
    """Return the line that tells most: the last error or cause, else the last line."""
    lines = [line.strip() for line in log.splitlines() if line.strip() and not line.startswith(_NOISE)]
    told = [line for line in lines if re.search(r"Caused by:|\b(ERROR|FATAL)\b|Exception|Error\b|fatal error", line)]
    return (told or lines or ["it printed nothing"])[-1][:300]


def _lock(data_dir: Path) -> int:
    """Take the folder for this process; raises EmbeddedKafkaError if another broker has it."""
    deadline = time.monotonic() + _LOCK_SECONDS
    with _folder(data_dir):
        data_dir.mkdir(parents=True, exist_ok=True)
        if (free := shutil.disk_usage(data_dir).free >> 20) < _LEAST_ROOM_MB:
            raise EmbeddedKafkaError(f"The disk of {data_dir} has only {free} MB left; free {_LEAST_ROOM_MB} MB there")
        lock = os.open(data_dir / "lock", os.O_CREAT | os.O_RDWR, 0o644)
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if time.monotonic() > deadline:
                os.close(lock)
                raise EmbeddedKafkaError(
                    f"Another broker runs on {data_dir}; stop it or choose another folder"
                ) from error
            time.sleep(0.05)
        else:
            return lock


@contextmanager
def _folder(data_dir: Path) -> Iterator[None]:
    """Tell what is wrong with the folder where the system refuses a write."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise EmbeddedKafkaError(f"The disk of {data_dir} is full; free {_LEAST_ROOM_MB} MB there") from error
        raise EmbeddedKafkaError(
            f"The broker cannot use the folder {data_dir} ({error.strerror}); make it writable or choose another"
        ) from error
