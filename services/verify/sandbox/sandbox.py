"""Runs programs, as many at a time as there are cores."""

import marshal
import os
import secrets
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from queue import SimpleQueue

from services.verify.sandbox.program import BEGAN, Limits, Program, Ran, ran
from services.verify.sandbox.started import Started, Starter, refused, rlimits
from services.verify.sandbox.watch import Watch

_MOST_AT_ONCE = 64


class Sandbox:
    """One way to start programs, with limits; one call of `run` at a time."""

    def __init__(self, starter: Starter, limits: Limits) -> None:
        self._starter, self._limits = starter, limits
        self._rlimits = [*rlimits(limits), *starter.rlimits]
        self._at_once = at_once()
        self._slots: SimpleQueue[int] = SimpleQueue()
        for slot in range(self._at_once):
            self._slots.put(slot)

    def run(self, programs: Sequence[Program]) -> list[Ran]:
        """Run all and return how they ended, in their order; none of their processes is left. Blocks.

        Raises UnavailableError if one could not be started, which isn't the program's fault.
        """
        with ThreadPoolExecutor(self._at_once) as threads:
            return list(threads.map(self._in_a_slot, programs))

    def _in_a_slot(self, program: Program) -> Ran:
        slot = self._slots.get()
        try:
            return self._run(program, slot)
        finally:
            self._slots.put(slot)

    def _run(self, program: Program, slot: int) -> Ran:
        token = secrets.token_hex(16).encode()
        reading, writing = os.pipe()
        with os.fdopen(reading, "rb", buffering=0) as report:
            with os.fdopen(writing, "wb", buffering=0) as reporting:
                started = self._start(reporting.fileno())
                job = self._job(program, slot, reporting.fileno(), token)
            with started.process:
                _give(started, job)
                seen = Watch(started, report.fileno(), self._limits).until_end()
        if not seen.report.startswith(BEGAN):
            raise refused(seen.output.decode(errors="replace"))
        return ran(seen, token)

    def _start(self, report: int) -> Started:
        try:
            return self._starter.start(report)
        except OSError as error:
            raise refused(str(error)) from error

    def _job(self, program: Program, slot: int, report: int, token: bytes) -> bytes:
        """Return what `inside` is told; marshal, for it is built in."""
        user = self._starter.user(slot)
        told = {"limits": self._rlimits, "user": user, "report": report, "began": BEGAN, "token": token}
        return marshal.dumps({**told, "answer": program.answer, "tests": program.tests})


def at_once() -> int:
    """Return how many programs run at a time."""
    return min(os.cpu_count() or 1, _MOST_AT_ONCE)


def most_within(seconds: float, limits: Limits) -> int:
    """Return how many programs end within some seconds even if each takes all its time; at least one."""
    return max(1, int(seconds * at_once() / limits.seconds))


def _give(started: Started, job: bytes) -> None:
    """Hand the job over; who waits for it before it does anything is either there to read it or has failed."""
    assert started.process.stdin is not None
    with suppress(BrokenPipeError), started.process.stdin as stdin:
        stdin.write(job)
