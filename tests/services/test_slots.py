import sys
import time
from collections.abc import Sequence
from pathlib import Path

import psutil
import pytest

from services.supervise.slots import Slot, delay

READY = "import os, sys, time; os.write(int(sys.argv[1]), b'1'); time.sleep(60)"


def until(slot: Slot, state: str, now: float = 0.0) -> None:
    deadline = time.monotonic() + 20
    while slot.status.state != state:
        assert time.monotonic() < deadline, slot.status
        slot.tend(now)


def command(code: str) -> object:
    def make(_stage: str, _number: int, ready: int) -> Sequence[str]:
        return [sys.executable, "-c", code, str(ready)]

    return make


def test_the_delay_doubles_up_to_a_limit() -> None:
    assert [delay(failures) for failures in (1, 2, 3, 4)] == [0.1, 0.2, 0.4, 0.8]
    assert delay(50) == 10.0


def test_a_process_is_running_only_once_it_says_so(tmp_path: Path) -> None:
    slot = Slot("mix", 0, command(READY), tmp_path / "log")  # type: ignore[arg-type]
    slot.tend(0.0)
    assert slot.status.state == "starting"
    until(slot, "running")
    pid = slot.status.pid
    assert pid is not None
    slot.terminate()
    slot.wait(5)
    assert slot.status.state == "stopped"
    assert slot.status.pid is None
    assert not psutil.pid_exists(pid)


def test_a_process_that_does_not_heed_the_signal_is_killed(tmp_path: Path) -> None:
    stubborn = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + READY
    slot = Slot("mix", 0, command(stubborn), tmp_path / "log")  # type: ignore[arg-type]
    until(slot, "running")
    pid = slot.status.pid
    slot.terminate()
    slot.wait(0.2)
    assert pid is not None
    assert not psutil.pid_exists(pid)


def test_each_failure_waits_longer_and_a_long_run_is_forgiven(tmp_path: Path) -> None:
    slot = Slot("mix", 0, command("print('gone')"), tmp_path / "log")  # type: ignore[arg-type]
    until(slot, "starting", 0.0)
    until(slot, "restarting", 0.0)
    slot.tend(0.09)
    assert slot.status.state == "restarting"
    until(slot, "starting", 0.1)
    until(slot, "restarting", 0.1)
    slot.tend(0.29)
    assert slot.status.state == "restarting"
    until(slot, "starting", 0.31)
    until(slot, "restarting", 100.0)  # it ran for 100 s by this clock
    slot.tend(100.09)
    assert slot.status.state == "restarting"
    until(slot, "starting", 100.11)
    assert slot.status.restarts == 3
    slot.wait(5)
    assert (tmp_path / "log").read_text().count("gone") == 4


@pytest.mark.parametrize("state", ["starting", "restarting"])
def test_a_slot_can_be_stopped_in_every_state(tmp_path: Path, state: str) -> None:
    slot = Slot("mix", 0, command("import time; time.sleep(0.2)"), tmp_path / "log")  # type: ignore[arg-type]
    until(slot, "starting")
    until(slot, state)
    slot.terminate()
    slot.wait(5)
    assert slot.status.state == "stopped"
