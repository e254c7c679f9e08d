"""One slot of a stage as a child process: started bound to this process, watched, and restarted with backoff."""

import os
import signal
import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from services.supervise.running import SlotState, SlotStatus
from streams.guard import guarded

Command = Callable[[str, int, int], Sequence[str]]  # stage, slot, descriptor to tell readiness on
_FIRST_DELAY = 0.1
_LONGEST_DELAY = 10.0
_WELL_SECONDS = 20.0  # who ran this long has got over what stopped it before
_KILL_WAIT = 10.0


def delay(failures: int) -> float:
    """Return the seconds before the next start after so many failures in a row."""
    return min(_FIRST_DELAY * 2.0 ** (failures - 1), _LONGEST_DELAY)


class Slot:
    """Call `tend` often, from the thread that starts the processes; times are seconds of one monotonic clock."""

    def __init__(self, stage: str, number: int, command: Command, log: Path) -> None:
        self.stage, self.number = stage, number
        self._command, self._log = command, log
        self._process: subprocess.Popen[bytes] | None = None
        self._ready: int | None = None
        self._state: SlotState = "restarting"
        self._failures = 0
        self._starts = 0
        self._started_at = 0.0
        self._due = 0.0

    @property
    def status(self) -> SlotStatus:
        """What it does now."""
        pid = self._process.pid if self._process else None
        restarts = max(0, self._starts - 1)
        return SlotStatus(stage=self.stage, slot=self.number, pid=pid, state=self._state, restarts=restarts)

    def tend(self, now: float) -> None:
        """Start the process when it is due, notice that it is ready, and notice its end."""
        if self._process is None:
            if now >= self._due:
                self._start(now)
            return
        self._notice_ready()
        if self._process.poll() is not None:
            self._ended(now)

    def terminate(self) -> None:
        """Ask the process to stop."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGTERM)

    def wait(self, seconds: float) -> None:
        """Wait for the end, after so many seconds by force."""
        if self._process is not None:
            try:
                self._process.wait(max(0.0, seconds))
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(_KILL_WAIT)
        self._let_go("stopped")

    def _start(self, now: float) -> None:
        reader, writer = os.pipe()
        os.set_blocking(reader, False)
        try:
            with self._log.open("ab") as log:
                self._process = subprocess.Popen(  # noqa: S603 - the command is our own
                    guarded(self._command(self.stage, self.number, writer)),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    process_group=0,  # Ctrl-C is for the supervisor to answer
                    pass_fds=[writer],
                )
        finally:
            os.close(writer)
        self._ready, self._state = reader, "starting"
        self._starts += 1
        self._started_at = now

    def _notice_ready(self) -> None:
        if self._state == "starting" and self._ready is not None:
            with suppress(BlockingIOError):
                if os.read(self._ready, 1):
                    self._state = "running"

    def _ended(self, now: float) -> None:
        self._failures = 1 if now - self._started_at >= _WELL_SECONDS else self._failures + 1
        self._due = now + delay(self._failures)
        self._let_go("restarting")

    def _let_go(self, state: SlotState) -> None:
        self._process, self._state = None, state
        if self._ready is not None:
            os.close(self._ready)
            self._ready = None
