"""Starts programs as plain processes with limits, in a folder of their own: for whoever trusts those that write them.

It stops what runs for ever, uses too much memory or says too much. It hides no file and no network, and a program that
leaves its process group outlives its end.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from tempfile import TemporaryDirectory

from services.verify.sandbox.started import INSIDE, Rlimit

WARNING = (
    "verify.sandbox is process: programs that models wrote can read your files and use the network; install bubblewrap "
    "and remove it"
)


class Plain:
    """Needs nothing."""

    rlimits: Sequence[Rlimit] = ()  # the kernel would count all processes of the user

    def user(self, slot: int) -> int | None:  # noqa: ARG002 - slots need no users of their own here
        """Return none: a program stays the user who it is."""
        return None

    def start(self, report: int) -> "Running":
        """Start `inside`; raises OSError if that can't be."""
        return Running(report)


class Running:
    """A program in its process group."""

    scratch: str | None = None

    def __init__(self, report: int) -> None:
        self._folder = TemporaryDirectory(prefix="ballast-", ignore_cleanup_errors=True)
        self.process = subprocess.Popen(  # noqa: S603 - our own arguments
            [sys.executable, "-I", "-S", "-B", str(INSIDE)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=(report,),
            env={},
            cwd=self._folder.name,
            start_new_session=True,
        )
        self.root = self.process.pid

    def kill(self) -> None:
        """Kill the group."""
        with suppress(ProcessLookupError):
            os.killpg(self.root, signal.SIGKILL)

    def end(self) -> int:
        """Wait for the first process, kill what it left in its group, and remove the folder."""
        status = self.process.wait()
        self.kill()
        self._folder.cleanup()
        return status
