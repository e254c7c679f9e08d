"""Watches one program from its start to the end of all its processes, and kills it at a limit."""

import os
import selectors
import subprocess
import time
from contextlib import suppress

from services.verify.sandbox.program import BEGAN, Killed, Limits, Seen
from services.verify.sandbox.started import Started
from services.verify.sandbox.use import files_of, use_of

_TICK = 0.02  # seconds between two looks at what it uses; what is grabbed at full speed between two is some 50 MB
_START = 30.0  # seconds until it has to begin: a busy machine is no fault of the program
_CHUNK = 1 << 16
_KEPT = 4_096  # bytes of the output's end and of the report's start


class Watch:
    """One program; `report` is the end of its report that can be read."""

    def __init__(self, started: Started, report: int, limits: Limits) -> None:
        assert started.process.stdout is not None
        self._started, self._limits = started, limits
        self._output_fd, self._report_fd = started.process.stdout.fileno(), report
        self._output, self._report, self._said = b"", b"", 0
        now = time.monotonic()
        self._has_begun, self._deadline, self._next_look = False, now + _START, now

    def until_end(self) -> Seen:
        """Return what was seen once no process is left. Blocks for little more than the limit of time."""
        stopped: Killed | None = None
        process = self._started.process
        try:
            with selectors.DefaultSelector() as ready:
                for fd in (self._output_fd, self._report_fd):
                    os.set_blocking(fd, False)
                    ready.register(fd, selectors.EVENT_READ)
                while stopped is None and process.poll() is None:
                    self._wait(ready)
                    stopped = self._excess()
        finally:
            if process.poll() is None:
                self._started.kill()
            status = self._started.end()
        for fd in (self._output_fd, self._report_fd):
            while self._said <= self._limits.output and self._read(fd):
                pass
        return Seen(status if status >= 0 else 128 - status, self._output, self._report, stopped)

    def _wait(self, ready: selectors.BaseSelector) -> None:
        """Read what there is, or wait for some; a program that has closed all it has is waited for until it ends."""
        if not ready.get_map():
            with suppress(subprocess.TimeoutExpired):
                self._started.process.wait(_TICK)
            return
        for key, _ in ready.select(_TICK):
            if self._read(key.fd) == b"":
                ready.unregister(key.fd)

    def _read(self, fd: int) -> bytes | None:
        """Return what was read, nothing at the end of the file, None if there is nothing yet."""
        try:
            chunk = os.read(fd, _CHUNK)
        except BlockingIOError:
            return None
        self._said += len(chunk)
        if fd == self._report_fd:
            self._report = (self._report + chunk)[:_KEPT]
        else:
            self._output = (self._output + chunk)[-_KEPT:]
        return chunk

    def _excess(self) -> Killed | None:
        now, limits = time.monotonic(), self._limits
        if not self._has_begun and self._report.startswith(BEGAN):
            self._has_begun, self._deadline = True, now + limits.seconds
        if self._said > limits.output:
            return "output"
        if now > self._deadline:
            return "time"
        if now < self._next_look or not self._has_begun:
            return None  # before it began, /proc may show the host's own
        self._next_look = now + _TICK
        use = use_of(self._started.root)
        if use.processes > limits.processes:
            return "processes"
        if use.memory > limits.memory:
            return "memory"
        is_full = self._started.scratch is not None and files_of(self._started.scratch) > limits.files
        return "disk" if is_full else None
