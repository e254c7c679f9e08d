"""Compares maths answers in a process of its own that ends itself when a pair takes too long."""

import json
import subprocess
import sys
from contextlib import suppress
from typing import Literal, NamedTuple

_SECONDS = 5

Outcome = Literal["equal", "different", "answer unread", "reference unread", "unsolved"]


class Comparison(NamedTuple):
    """Whether two answers are equal, and as what they were read, as far as they were."""

    outcome: Outcome
    reference: str = ""
    answer: str = ""
    error: str = ""


class Solver:
    """Starts its process when it is first asked, and again after one that took too long; it ends with ours."""

    def __init__(self, seconds: int = _SECONDS) -> None:
        self._seconds = seconds
        self._process: subprocess.Popen[str] | None = None

    def compare(self, reference: str, said: str) -> Comparison:
        """Compare a reference answer with the one that a text comes to. Blocks for up to 5 s."""
        process = self._running()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps([reference, said]) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if line:
            return Comparison(**json.loads(line))
        self.close()
        return Comparison("unsolved", error=f"no result within {self._seconds} s")

    def close(self) -> None:
        """End the process, if there is one."""
        if self._process is not None:
            with self._process, suppress(BrokenPipeError):
                self._process.kill()
            self._process = None

    def _running(self) -> "subprocess.Popen[str]":
        if self._process is not None and self._process.poll() is not None:
            self.close()
        if self._process is None:
            self._process = subprocess.Popen(  # noqa: S603 - our own module; what it reads comes by stdin
                [sys.executable, "-m", "services.verify.solving", str(self._seconds)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
        return self._process
