"""What is run, what it may use, and what came of it."""

import signal
from dataclasses import dataclass
from typing import Literal, NamedTuple

Killed = Literal["time", "memory", "processes", "output", "disk", "signal", "seccomp"]
Part = Literal["answer", "tests"]

BEGAN = b"began\n"  # what `inside` says first; then comes the token of a program that ran to its end, or a fault
_SIGNALLED = 128
_BY_SIGNAL: dict[int, Killed] = {signal.SIGSYS: "seccomp", signal.SIGXCPU: "time", signal.SIGXFSZ: "disk"}
_BY_ERROR: dict[str, Killed] = {
    "MemoryError": "memory",
    "[Errno 12]": "memory",
    "[Errno 27]": "disk",
    "[Errno 28]": "disk",
    "[Errno 11]": "processes",
    "can't start new thread": "processes",
}


class Program(NamedTuple):
    """An answer and its tests; an answer without tests is only compiled."""

    answer: str
    tests: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one program may use, all its processes together; times in seconds, sizes in bytes."""

    seconds: float = 5.0
    cpu_seconds: int = 4  # of each process
    memory: int = 512 << 20
    processes: int = 32  # and threads, with the first of the sandbox, which isn't the program's
    disk: int = 16 << 20
    files: int = 1_000
    open_files: int = 64  # of each process
    output: int = 256 << 10


class Fault(NamedTuple):
    """The exception that ended a program, and where, as far as that is known. The program may have lied."""

    part: Part | None
    line: int | None
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """How a program ended; `status` is its exit code, or 128 + n after signal n."""

    is_finished: bool
    status: int
    output: str
    killed: Killed | None
    fault: Fault | None


class Seen(NamedTuple):
    """What could be seen of a program from outside; `stopped` is why it was killed from there."""

    status: int
    output: bytes
    report: bytes
    stopped: Killed | None


def ran(seen: Seen, token: bytes) -> Ran:
    """Return how a program ended; it ran to its end only if it then told its token."""
    told = seen.report.removeprefix(BEGAN)
    is_finished = told == token and seen.status == 0 and seen.stopped is None
    fault = None if told == token else _fault(told)
    return Ran(
        is_finished=is_finished,
        status=seen.status,
        output=seen.output.decode(errors="replace"),
        killed=seen.stopped or _by_status(seen.status) or _by_error(fault),
        fault=fault,
    )


def _fault(told: bytes) -> Fault | None:
    part, _, rest = told.decode(errors="replace").partition("\n")
    line, _, error = rest.partition("\n")
    if not error:
        return None
    known: dict[str, Part] = {"answer": "answer", "tests": "tests"}
    return Fault(known.get(part), int(line) if line.isascii() and line.isdigit() else None, error)


def _by_status(status: int) -> Killed | None:
    if status <= _SIGNALLED:
        return None
    return _BY_SIGNAL.get(status - _SIGNALLED, "signal")


def _by_error(fault: Fault | None) -> Killed | None:
    """Return the limit that an exception tells of: at some the kernel refuses, and the program may go on."""
    if fault is None:
        return None
    return next((reason for mark, reason in _BY_ERROR.items() if mark in fault.error), None)
