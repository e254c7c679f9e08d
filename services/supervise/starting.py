"""Brings a pipeline up and down from outside: starts the detached supervisor, waits for it, and ends it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from services import pipeline
from services.errors import StartError
from services.supervise import kafka, running
from services.supervise.running import Running
from services.supervise.session import Chosen, keep
from streams.guard import guarded
from streams.jars import Progress

_UP_SECONDS = 120.0
_DOWN_SECONDS = 90.0  # the first run of a broker writes its class archive as it ends
_POLL = 0.05
_TRIES = 3  # a stage that ends so often before it is ready does not come up


def up(chosen: Chosen, *, bound: bool = False, progress: Progress | None = None) -> Running:
    """Start broker and stages and return once all run; raises StartError or EmbeddedKafkaError, then nothing runs.

    `bound`: the supervisor ends with this process; else it is on its own.
    """
    if running.alive(chosen.folder) is not None:
        raise running.already_up(chosen.folder)
    if chosen.settings.kafka_bootstrap is None:
        kafka.embedded(chosen.settings, chosen.folder, progress)  # fetches the jars here, where a person sees it
    keep(chosen)
    log = _fresh_logs(chosen)
    process = _start(chosen, log, bound=bound)
    try:
        return _await(process, chosen, log)
    except BaseException:
        _end(process)
        raise


def down(folder: Path) -> bool:
    """Stop what runs on the folder and wait for the end; false if nothing runs. Raises StartError."""
    there = running.alive(folder)
    if there is None:
        return False
    os.kill(there.pid, signal.SIGTERM)
    deadline = time.monotonic() + _DOWN_SECONDS
    while running.alive(folder) is not None:
        if time.monotonic() > deadline:
            raise StartError(
                f"Supervisor {there.pid} has not ended; see {folder / 'logs'}, or kill it: its children end too"
            )
        time.sleep(_POLL)
    return True


def last_line(log: Path) -> str:
    """Return the last line that a log has, or nothing."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def _fresh_logs(chosen: Chosen) -> Path:
    """Keep the last run's logs beside the new ones, and return the supervisor's."""
    folder = chosen.folder / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "supervisor.log"
    for path in [log, *(pipeline.log_file(chosen.folder, *slot) for slot in pipeline.slots(chosen.recipe))]:
        if path.exists():
            path.replace(path.with_suffix(".log.1"))
    return log


def _start(chosen: Chosen, log: Path, *, bound: bool) -> subprocess.Popen[bytes]:
    home = f"BALLAST_HOME={chosen.settings.home.absolute()}"
    command: Sequence[str] = ["env", home, sys.executable, "-m", "services.supervise.supervisor", chosen.name]
    with log.open("ab") as output:
        return subprocess.Popen(  # noqa: S603 - the command is our own
            guarded(command) if bound else command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


def _await(process: subprocess.Popen[bytes], chosen: Chosen, log: Path) -> Running:
    deadline = time.monotonic() + _UP_SECONDS
    while True:
        ended = process.poll() is not None
        told = running.last(chosen.folder)
        mine = told if told is not None and told.pid == process.pid else None
        if ended:
            raise StartError(f"{mine.error if mine and mine.error else last_line(log)}; see {log}")
        if mine and mine.state == "up":
            return mine
        for slot in mine.stages if mine else ():
            if slot.restarts >= _TRIES:
                own = pipeline.log_file(chosen.folder, slot.stage, slot.slot)
                raise StartError(
                    f"Stage {slot.stage} does not start: {last_line(own).removeprefix('Error: ')}; see {own}"
                )
        if time.monotonic() > deadline:
            raise StartError(f"The stages were not ready after {_UP_SECONDS:.0f} s; see {log.parent}")
        time.sleep(_POLL)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_DOWN_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
