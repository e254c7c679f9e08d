"""What a program that was started is to whoever watches it."""

import resource
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from services.verify.sandbox.program import Limits
from streams.errors import UnavailableError

Rlimit = tuple[int, int, int]  # which, soft and hard
INSIDE = Path(__file__).with_name("inside.py")
WHAT_ELSE = "or let the recipe say `verify.sandbox: process`, which stops no program that means harm"
_LONGEST = 300


class Started(Protocol):
    """One program that runs."""

    process: subprocess.Popen[bytes]
    root: int  # the process that all others of the program are below
    scratch: str | None  # what the program sees as /tmp, if it is a file system of its own

    def kill(self) -> None:
        """Kill all of the program's processes. Doesn't block."""

    def end(self) -> int:
        """Wait for the end of all of its processes, which those that it left behind meet too; return its status."""


class Starter(Protocol):
    """One way to start programs."""

    @property
    def rlimits(self) -> Sequence[Rlimit]:
        """Limits that it adds to those of all."""

    def user(self, slot: int) -> int | None:
        """Return whom the program of a slot has to become; slots that run at once need users of their own."""

    def start(self, report: int) -> Started:
        """Start `inside` with an open file to report to; it waits for its job. Raises UnavailableError, OSError."""


def rlimits(limits: Limits) -> list[Rlimit]:
    """Return what the kernel holds each process to.

    The memory and the number of all processes are watched from outside; the kernel's limits are a little wider, so that
    who runs into one can be told from who doesn't.
    """
    return [
        (resource.RLIMIT_CPU, limits.cpu_seconds, limits.cpu_seconds + 1),
        (resource.RLIMIT_AS, 2 * limits.memory, 2 * limits.memory),
        (resource.RLIMIT_FSIZE, limits.disk, limits.disk),
        (resource.RLIMIT_NOFILE, limits.open_files, limits.open_files),
        (resource.RLIMIT_CORE, 0, 0),
        (resource.RLIMIT_MEMLOCK, 0, 0),
    ]


def refused(said: str) -> UnavailableError:
    """Return the error for a program that was never begun, with what the sandbox said."""
    return UnavailableError(
        f"The sandbox can't start a program ({said.strip()[-_LONGEST:] or 'it said nothing'}); allow user namespaces "
        f"on this machine and in its container, {WHAT_ELSE}"
    )
