import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from streams import guard
from streams.guard import guarded

pytestmark = pytest.mark.alone
ROOT = Path(__file__).parents[2]
SLEEP = ["sleep", "60"]

PARENT = """
import subprocess, sys, threading, time
from streams.guard import guarded

def start():
    child = subprocess.Popen(guarded(["sleep", "60"]))
    print(child.pid, flush=True)

if sys.argv[1] == "thread":
    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
else:
    start()
time.sleep(60)
"""


def ends_within(seconds: float, pid: int) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.02)
    return False


def in_thread(command: list[str]) -> subprocess.Popen[str]:
    started: list[subprocess.Popen[str]] = []
    thread = threading.Thread(
        target=lambda: started.append(subprocess.Popen(guarded(command), stdout=subprocess.PIPE, text=True))
    )
    thread.start()
    thread.join()
    return started[0]


def test_the_command_keeps_its_arguments_its_output_and_its_exit_code() -> None:
    ended = subprocess.run(
        guarded(["sh", "-c", 'echo "$@"; exit 7', "sh", "a b", "--c"]), capture_output=True, text=True, check=False
    )
    assert (ended.stdout, ended.stderr, ended.returncode) == ("a b --c\n", "", 7)


def test_the_pid_is_the_commands_own() -> None:
    ended = subprocess.Popen(guarded(["sh", "-c", "echo $$"]), stdout=subprocess.PIPE, text=True)
    out, _ = ended.communicate(timeout=10)
    assert int(out) == ended.pid


@pytest.mark.parametrize("where", ["main", "thread"])
def test_the_child_dies_when_its_parent_is_killed(where: str) -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT, where], cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert not ends_within(0.3, child)
        parent.kill()
        assert ends_within(5, child)


def test_the_child_outlives_the_helper_thread_that_started_it() -> None:
    with in_thread(SLEEP) as child:
        assert not ends_within(1.5, child.pid)
        child.kill()


def test_a_watcher_neither_hides_the_end_of_the_childs_output_nor_stays() -> None:
    with in_thread(["sh", "-c", "echo out; sleep 0.3"]) as child:
        began = time.monotonic()
        out, _ = child.communicate(timeout=10)
        assert out == "out\n"
        assert time.monotonic() - began < 0.9
    time.sleep(1.3)
    left = [
        p.info["cmdline"] for p in psutil.process_iter(["cmdline"]) if str(os.getpid()) in (p.info["cmdline"] or [])
    ]
    assert left == []


def test_a_command_whose_parent_is_gone_already_does_not_run() -> None:
    for how in ("kernel", "watcher"):
        argv = guarded(["echo", "ran"])
        argv[4:6] = [how, "1"]
        ended = subprocess.run(argv, capture_output=True, text=True, check=False)
        assert (ended.stdout, ended.returncode) == ("", 1)


def test_a_missing_command_is_told_in_one_line() -> None:
    ended = subprocess.run(guarded(["/no/such"]), capture_output=True, text=True, check=False)
    assert ended.returncode == 127
    assert ended.stderr == "/no/such cannot be run: No such file or directory\n"


def test_it_starts_fast() -> None:
    took = []
    for _ in range(5):
        began = time.monotonic()
        subprocess.run(guarded(["true"]), check=True)
        took.append(time.monotonic() - began)
    assert min(took) < 0.2


def test_without_a_kernel_that_helps_a_watcher_looks_each_second(monkeypatch: pytest.MonkeyPatch) -> None:
    with subprocess.Popen(SLEEP) as other:
        monkeypatch.setattr("sys.platform", "darwin")
        assert guarded(["x"])[4] == "watcher"
        assert not guard._ended_within(0.01, other.pid)
        other.kill()
        other.wait()
        assert guard._ended_within(0.01, other.pid)
