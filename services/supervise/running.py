"""What runs on a pipeline's state folder: written by its supervisor alone, read by every command.

The supervisor holds a lock for its whole life, so a file that a killed one left behind is never believed.
"""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

from services.errors import StartError

SlotState = Literal["starting", "running", "restarting", "stopped"]
State = Literal["starting", "up", "stopping", "failed"]
RECIPE = "recipe.yaml"
_FILE = "supervisor.json"
_LOCK = "supervisor.lock"
_PATIENCE = 1.5  # a command that only looks holds the lock for a moment


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotStatus:
    """One child process of the supervisor."""

    stage: str
    slot: int
    pid: int | None
    state: SlotState
    restarts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """One supervisor; `broker_pid` is null for a broker of the user's own, `error` says why it failed."""

    pid: int
    pipeline: str
    state: State
    bootstrap: str = ""
    broker_pid: int | None = None
    stages: tuple[SlotStatus, ...] = ()
    error: str = ""


def alive(folder: Path) -> Running | None:
    """Return who runs on the folder, or None. Does not block."""
    return last(folder) if _is_held(folder) else None


def last(folder: Path) -> Running | None:
    """Return what the newest supervisor wrote, whether it still runs or not."""
    try:
        data = json.loads((folder / _FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    stages = tuple(SlotStatus(**each) for each in data.pop("stages"))
    return replace(Running(**data), stages=stages)


def write(folder: Path, running: Running) -> None:
    """Replace the file, so that a reader sees all of it or the one before."""
    part = folder / f".{_FILE}.{os.getpid()}"
    part.write_text(json.dumps(asdict(running), indent=2), encoding="utf-8")
    part.replace(folder / _FILE)


def forget(folder: Path) -> None:
    """Remove the file: nothing runs any more."""
    (folder / _FILE).unlink(missing_ok=True)


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold the folder for this process; raises StartError if another supervisor has it."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = os.open(folder / _LOCK, os.O_CREAT | os.O_RDWR, 0o644)
    try:
        _take(lock, folder)
        yield
    finally:
        os.close(lock)


def already_up(folder: Path) -> StartError:
    """Return the error for a second supervisor on the folder."""
    running = last(folder)
    who = f"Pipeline {running.pipeline} is already up (supervisor {running.pid})" if running else "It is already up"
    return StartError(f"{who} on {folder}; look with `ballast status`, or end it with `ballast down`")


def _take(lock: int, folder: Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if time.monotonic() > deadline:
                raise already_up(folder) from None
            time.sleep(0.02)
        else:
            return


def _is_held(folder: Path) -> bool:
    try:
        lock = os.open(folder / _LOCK, os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(lock)
    return False
