import fcntl
import subprocess
import sys
import time
from pathlib import Path

import pytest

from services.errors import StartError
from services.supervise import running
from services.supervise.running import Running, SlotStatus

HOLD = "import sys, time; from pathlib import Path; from services.supervise import running\n"
HOLD += "with running.held(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
TOLD = Running(
    pid=7,
    pipeline="p",
    state="up",
    bootstrap="b:1",
    stages=(SlotStatus(stage="mix", slot=0, pid=8, state="running", restarts=2),),
)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    running.write(tmp_path, TOLD)
    assert running.last(tmp_path) == TOLD
    running.forget(tmp_path)
    assert running.last(tmp_path) is None


def test_a_file_that_nobody_holds_the_lock_of_is_not_believed(tmp_path: Path) -> None:
    running.write(tmp_path, TOLD)
    assert running.alive(tmp_path) is None
    with running.held(tmp_path):
        assert running.alive(tmp_path) == TOLD
    assert running.alive(tmp_path) is None


@pytest.mark.parametrize("content", ["", "{", '{"stages": []'])
def test_a_broken_file_is_as_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "supervisor.json").write_text(content)
    assert running.last(tmp_path) is None


def test_a_second_holder_is_refused_until_the_first_is_gone(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "held\n"
        running.write(tmp_path, TOLD)
        with pytest.raises(StartError, match=r"Pipeline p is already up \(supervisor 7\)"), running.held(tmp_path):
            pass
        first.kill()
    with running.held(tmp_path):
        pass


def test_two_who_look_at_the_same_time_do_not_take_each_other_for_a_supervisor(tmp_path: Path) -> None:
    running.write(tmp_path, TOLD)
    (tmp_path / "supervisor.lock").touch()
    with (tmp_path / "supervisor.lock").open() as other:
        fcntl.flock(other, fcntl.LOCK_SH)
        assert running.alive(tmp_path) is None


@pytest.mark.alone
def test_looking_does_not_keep_a_supervisor_out(tmp_path: Path) -> None:
    (tmp_path / "supervisor.lock").touch()
    assert running.alive(tmp_path) is None
    began = time.monotonic()
    with running.held(tmp_path):
        assert time.monotonic() - began < 1.5
