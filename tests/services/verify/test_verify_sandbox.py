"""Hostile programs are contained, each with the verdict that it should have, and the host is unharmed."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest
from code_world import sandbox
from hostile import LOW, Hostile, programs

from services.verify.sandbox import ready, seccomp
from services.verify.sandbox.bubblewrap import Bubblewrap
from services.verify.sandbox.interpreter import view
from services.verify.sandbox.plain import Plain
from services.verify.sandbox.program import BEGAN, Fault, Program, Ran, Seen, ran
from services.verify.sandbox.sandbox import Sandbox
from services.verify.sandbox.started import INSIDE
from streams.errors import UnavailableError

pytestmark = pytest.mark.alone
ROOT = Path(__file__).parents[3]
NAMES = sorted(programs("", 0, ""))
OTHER = 65_534  # a user who is nobody
NONE = "0" * 16  # no capability
SPARE = 64 << 20  # bytes of shared memory that other processes may take meanwhile


class Host(NamedTuple):
    """What the host was before the programs, and who came by."""

    secret: Path
    files: dict[str, float]
    shared: int
    tcp: socket.socket
    unix: socket.socket


class Run(NamedTuple):
    host: Host
    programs: dict[str, Hostile]
    ran: dict[str, Ran]


def listening(family: socket.AddressFamily, address: object) -> socket.socket:
    listener = socket.socket(family)
    listener.bind(address)  # type: ignore[arg-type]
    listener.listen()
    listener.setblocking(False)
    return listener


def interpreter_files() -> dict[str, float]:
    """Return when each file that a program sees was last changed."""
    paths = [Path(path) for path in view().seen]
    files = [file for path in paths for file in (path.rglob("*.py") if path.is_dir() else [path])]
    return {str(file): file.stat().st_mtime for file in files}


def left_over() -> list[int]:
    """Return the processes that our programs have left: bubblewrap's, and those of the sandbox's users."""
    ours = {Bubblewrap(LOW).user(slot) for slot in range(64)}
    found = []
    for process in psutil.process_iter(["uids", "cmdline"]):
        uids, command = process.info["uids"], process.info["cmdline"] or []
        if str(INSIDE) in command or (uids is not None and uids.real in ours):
            found.append(process.pid)
    return found


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    box = sandbox(LOW)
    folder = tmp_path_factory.mktemp("host")
    secret = folder / "secret"
    secret.write_text("secret")
    unix = str(folder / "socket")
    with listening(socket.AF_INET, ("127.0.0.1", 0)) as tcp, listening(socket.AF_UNIX, unix) as local:
        host = Host(secret, interpreter_files(), psutil.virtual_memory().shared, tcp, local)
        told = programs(str(secret), tcp.getsockname()[1], unix)
        found = box.run([Program(told[name].code, "") for name in NAMES])
        yield Run(host, told, dict(zip(NAMES, found, strict=True)))


@pytest.mark.parametrize("name", NAMES)
def test_a_hostile_program_is_contained_and_ends_as_it_should(run: Run, name: str) -> None:
    wanted, found = run.programs[name], run.ran[name]
    if wanted.killed:
        assert found.killed in wanted.killed, found
    elif wanted.error:
        assert found.fault is not None, found
        assert wanted.error in found.fault.error
    assert found.is_finished == (not wanted.killed and not wanted.error), found


def test_there_are_enough_of_them() -> None:
    assert len(NAMES) >= 25


def test_no_process_is_left(run: Run) -> None:
    assert left_over() == []


def test_no_file_of_the_host_is_changed(run: Run) -> None:
    assert interpreter_files() == run.host.files
    assert run.host.secret.read_text() == "secret"
    assert sorted(path.name for path in run.host.secret.parent.iterdir()) == ["secret", "socket"]
    assert not Path("/tmp/link").exists()


def test_the_memory_that_can_outlive_a_process_is_free_again(run: Run) -> None:
    assert psutil.virtual_memory().shared < run.host.shared + SPARE


@pytest.mark.parametrize("kind", ["tcp", "unix"])
def test_nobody_has_come_over_the_network(run: Run, kind: str) -> None:
    with pytest.raises(BlockingIOError):
        getattr(run.host, kind).accept()


def test_a_program_sees_no_file_but_the_interpreters() -> None:
    walks = (
        "import os\nseen = [os.path.join(folder, name) for folder, _, names in os.walk('/') for name in names]\n"
        f"allowed = {view().seen!r}\n"
        "odd = [path for path in seen if not path.startswith((*allowed, '/inside.py', '/dev/null'))]\n"
        "assert seen and not odd, odd\n"
        f"assert not any(name for hidden in {view().hidden!r} for name in os.listdir(hidden))\n"
        "assert [name for name in os.listdir('/dev')] in (['null', 'shm'], ['shm', 'null'])\n"
    )
    (found,) = sandbox().run([Program(walks, "")])
    assert found.is_finished, found


def status_of(process: psutil.Process) -> dict[str, str]:
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def spaces_of(process: int | str) -> dict[str, str]:
    return {path.name: str(path.readlink()) for path in Path(f"/proc/{process}/ns").iterdir()}


def inside(found: list[psutil.Process]) -> psutil.Process | None:
    """Return the program among our descendants, once it has given up what it had."""
    for process in found:
        with suppress(psutil.Error, OSError):
            is_program = process.name() != "bwrap" and process.cmdline()[-1:] == ["/inside.py"]
            if is_program and status_of(process)["CapEff"] == NONE:
                return process
    return None


def test_each_wall_stands_by_itself() -> None:
    box, deadline = sandbox(), time.monotonic() + 20
    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(box.run, [Program("import time\ntime.sleep(2)", "")])
        while (program := inside(psutil.Process().children(recursive=True))) is None:
            assert time.monotonic() < deadline
        spaces, status = spaces_of(program.pid), status_of(program)
        limits = Path(f"/proc/{program.pid}/limits").read_text()
        mounts = [line.split() for line in Path(f"/proc/{program.pid}/mountinfo").read_text().splitlines()]
        assert running.result()[0].is_finished
    shared = {name for name, space in spaces_of("self").items() if space == spaces[name]}
    assert shared <= {"user", "time", "time_for_children"}
    assert ("user" in shared) == (os.geteuid() == 0)
    assert (status["NoNewPrivs"], status["Seccomp"], status["CapEff"], status["CapPrm"]) == ("1", "2", NONE, NONE)
    assert os.geteuid() != 0 or "0" not in " ".join(status[of] for of in ("Uid", "Gid", "Groups")).split()
    assert {line[4] for line in mounts if "ro" not in line[5].split(",")} == {"/tmp", "/dev/null"}
    assert [f"size={ready.LIMITS.disk >> 10}k" in line[-1].split(",") for line in mounts if line[4] == "/tmp"] == [True]
    assert {tuple(line.split()[2:4]) for line in limits.splitlines() if "Max processes" in line} == {("34", "34")}


@pytest.mark.parametrize(
    "answer",
    [
        "import sys\nsys.exit(0)",
        "import os\nos._exit(0)",
        "raise SystemExit",
        "import atexit, os\natexit.register(os._exit, 0)\nraise SystemExit",
        "import atexit, sys\natexit.register(sys.exit, 0)\nsys.exit(0)",
        "import os\nif os.fork():\n    os._exit(0)",
        (
            "import os\nfor fd in (1, 2, 3, 4, 5, 6, 7, 8, 9):\n    try:\n        os.write(fd, b'began\\npassed\\n')\n"
            "    except OSError:\n        pass\nos._exit(0)"
        ),
        "print('OK')\nprint('passed')\nimport os\nos._exit(0)",
        "def solve():\n    raise SystemExit(0)",
        "def solve():\n    import os\n    os._exit(0)",
        "import unittest\ndef solve():\n    unittest.main(argv=['x'], module='unittest')",
        (
            "import threading, os\nthreading.Timer(0.05, os._exit, [0]).start()\ndef solve():\n"
            "    import time\n    time.sleep(9)"
        ),
        'text = """',
        "if False:\n    x = (",
    ],
)
def test_an_answer_that_leaves_before_its_tests_end_has_not_passed_them(answer: str) -> None:
    (found,) = sandbox(LOW).run([Program(answer, "solve()\nassert False")])
    assert not found.is_finished
    assert "AssertionError" not in str(found.fault), "it was to leave, not to fail"


@pytest.mark.parametrize(
    ("answer", "tests"),
    [
        ("def solve(): return 4", "assert solve() == 4"),
        ("import asyncio\nasync def solve(): return 4", "assert asyncio.run(solve()) == 4"),
        (
            ("from concurrent.futures import ThreadPoolExecutor as Pool\ndef solve():\n    with Pool(4) as pool:\n"
            "        return sum(pool.map(int, '13'))"),
            "assert solve() == 4",
        ),
        ("from multiprocessing import Lock\ndef solve():\n    with Lock():\n        return 4", "assert solve() == 4"),
        ("import tempfile\ndef solve():\n    with tempfile.TemporaryFile() as f:\n        return f.write(b'four')",
         "assert solve() == 4"),
        (("from __future__ import annotations\nfrom dataclasses import dataclass\n@dataclass\n"
         "class solve:\n    x: int = 4"),
         "assert solve().x == 4"),
        ("def solve(): return 4\nif __name__ == '__main__':\n    print(input())", "assert solve() == 4"),
        ("def solve(): return 4", ("import unittest\nclass T(unittest.TestCase):\n    def test(self):\n"
         "        self.assertEqual(solve(), 4)\nif __name__ == '__main__':\n    unittest.main()")),
        ("import pickle\nclass Four:\n    x = 4\ndef solve(): return pickle.loads(pickle.dumps(Four())).x",
         "assert solve() == 4"),
        ("s = 'æ€😀'\ndef solve(): print(s); return len(s) + 1", "assert solve() == 4"),
    ],
)  # fmt: skip
def test_an_honest_answer_finishes(answer: str, tests: str) -> None:
    (found,) = sandbox().run([Program(answer, tests)])
    assert found.is_finished, found


def test_only_the_first_process_speaks_for_a_program() -> None:
    (found,) = sandbox(LOW).run([Program("import os\nif os.fork():\n    os.wait()\n    os._exit(0)", "pass")])
    assert (found.is_finished, found.status, found.fault) == (False, 0, None)


def test_a_unit_test_that_fails_is_no_end_of_the_tests() -> None:
    tests = "import unittest\nclass T(unittest.TestCase):\n    def test(self):\n        self.assertEqual(solve(), 4)\n"
    (found,) = sandbox().run([Program("def solve(): return 5", f"{tests}unittest.main()")])
    assert not found.is_finished
    assert found.fault == Fault("tests", 5, "SystemExit: True")
    assert "5 != 4" in found.output


def test_programs_come_back_in_their_order() -> None:
    found = sandbox().run(
        [Program(f"import time\ntime.sleep({(5 - n) / 50})\nraise ValueError({n})", "") for n in range(6)]
    )
    assert [one.fault.error for one in found if one.fault] == [f"ValueError: {n}" for n in range(6)]


def test_a_program_larger_than_a_pipe_is_handed_over_whole() -> None:
    (found,) = sandbox().run([Program(f"text = {'x' * (1 << 20)!r}", "assert len(text) == 1 << 20")])
    assert found.is_finished, found


def test_what_keeps_a_program_from_starting_is_an_error_and_no_verdict(tmp_path: Path) -> None:
    sandbox()
    broken = Bubblewrap(LOW)
    broken._fixed = [*broken._fixed, "--ro-bind", str(tmp_path / "missing"), "/missing"]
    with pytest.raises(UnavailableError, match=r"can't start a program \(bwrap: .*missing.*`verify.sandbox: process`"):
        Sandbox(broken, LOW).run([Program("", "")])


def test_without_bubblewrap_one_sentence_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(
        UnavailableError, match=r"not installed; run apt-get install bubblewrap, or .*`verify.sandbox: p"
    ):
        Bubblewrap(LOW)


def test_a_machine_without_a_filter_is_not_served(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "bwrap").touch(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    with pytest.raises(UnavailableError, match="no seccomp filter for riscv64"):
        Bubblewrap(LOW)


STILL_LIMITED = (
    "fork bomb", "one big object", "memory bit by bit", "infinite output", "sleeps for ever", "runs for ever",
    "kills its own group", "huge file",
)  # fmt: skip


@pytest.mark.parametrize("name", STILL_LIMITED)
def test_a_plain_process_is_still_limited(name: str) -> None:
    told = programs("", 0, "")[name]
    (found,) = Sandbox(Plain(), LOW).run([Program(told.code, "")])
    assert found.killed in told.killed
    assert not found.is_finished


def test_a_plain_process_leaves_nothing_in_its_group_and_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    daemon = "import os, time\nopen('x', 'w').close()\nif not os.fork():\n    time.sleep(60)"
    (found,) = Sandbox(Plain(), LOW).run([Program(daemon, "")])
    assert found.is_finished, found
    assert list(tmp_path.iterdir()) == []
    left = [one for one in psutil.process_iter(["cmdline"]) if str(INSIDE) in (one.info["cmdline"] or [])]
    assert psutil.wait_procs(left, timeout=10)[1] == [], "a killed process may need a moment"


SLEEPER = """
from services.verify.sandbox.bubblewrap import Bubblewrap
from services.verify.sandbox.program import Limits, Program
from services.verify.sandbox.sandbox import Sandbox
Sandbox(Bubblewrap(Limits()), Limits()).run([Program("import time\\ntime.sleep(4.5)", "")] * 2)
"""


def test_programs_die_with_who_runs_them() -> None:
    sandbox()
    runner = subprocess.Popen([sys.executable, "-c", SLEEPER], env={**os.environ, "PYTHONPATH": str(ROOT)})
    deadline = time.monotonic() + 20
    while inside(found := psutil.Process(runner.pid).children(recursive=True)) is None:
        assert time.monotonic() < deadline
    runner.kill()
    runner.wait()
    assert psutil.wait_procs(found, timeout=2)[1] == []


AS_OTHER = """
from hostile import LOW, programs
from services.verify.sandbox.program import Program
from services.verify.sandbox.ready import tried
told = programs("/nonexistent", 1, "/nonexistent")
found = tried("bubblewrap", LOW).run([Program(one.code, "") for one in told.values()])
for (name, one), ran in zip(told.items(), found):
    is_right = one.error in str(ran.fault) if one.error else ran.is_finished
    is_right = ran.killed in one.killed if one.killed else is_right
    assert is_right, (name, ran)
print(len(told))
"""


def as_other(program: str) -> "subprocess.CompletedProcess[str]":
    """Run a program as an ordinary user by a Python that this user may run; skips where there is none."""
    environment = {"PYTHONPATH": f"{ROOT}:{Path(__file__).parent}", "PATH": os.environ["PATH"]}
    for python in (os.path.realpath(sys.executable), "/usr/bin/python3"):
        with suppress(OSError):
            command = [python, "-c", program]
            done = subprocess.run(
                command, user=OTHER, group=OTHER, extra_groups=[], env=environment, cwd="/", capture_output=True,
                text=True, check=False,
            )  # fmt: skip
            if "No module named" not in done.stderr:
                return done
    return pytest.skip("no Python and no checkout that an ordinary user may read")


@pytest.mark.skipif(
    os.geteuid() != 0, reason="only root can become another user; the other tests are an ordinary user's"
)
def test_an_ordinary_user_is_as_safe() -> None:
    sandbox()
    done = as_other(AS_OTHER)
    assert done.stdout.strip() == str(len(NAMES)), done.stderr
    assert left_over() == []


@pytest.mark.parametrize("machine", seccomp.MACHINES.values())
def test_a_filter_is_short_enough_for_the_kernel_and_ends_in_a_decision(machine: seccomp.Machine) -> None:
    found = seccomp.compiled(machine)
    assert len(found) % 8 == 0
    assert len(found) // 8 < 4_096
    assert found[-8:] == bytes.fromhex("06000000") + (0x7FFF0000).to_bytes(4, "little")


def test_both_machines_forbid_the_same() -> None:
    one, other = seccomp.MACHINES["x86_64"], seccomp.MACHINES["aarch64"]
    assert len(one.killed) == len(other.killed) + 3  # iopl, ioperm and modify_ldt are of x86 alone
    assert sorted(one.refused.values()) == sorted(other.refused.values())
    assert len(set(one.killed)) == len(one.killed)
    assert len(set(other.killed)) == len(other.killed)


TOKEN = b"0123"


@pytest.mark.parametrize(
    ("seen", "wanted"),
    [
        (Seen(0, b"", BEGAN + TOKEN, None), (True, None, None)),
        (Seen(1, b"", BEGAN + TOKEN, None), (False, None, None)),
        (Seen(0, b"", BEGAN + TOKEN, "time"), (False, "time", None)),
        (Seen(0, b"", BEGAN + TOKEN + b"x", None), (False, None, None)),
        (Seen(0, b"", BEGAN, None), (False, None, None)),
        (Seen(159, b"", BEGAN, None), (False, "seccomp", None)),
        (Seen(152, b"", BEGAN, None), (False, "time", None)),
        (Seen(153, b"", BEGAN, None), (False, "disk", None)),
        (Seen(139, b"", BEGAN, None), (False, "signal", None)),
        (Seen(128, b"", BEGAN, None), (False, None, None)),
        (Seen(1, b"", BEGAN + b"tests\n7\nValueError: a\nb", None),
         (False, None, Fault("tests", 7, "ValueError: a\nb"))),
        (Seen(1, b"", BEGAN + b"lies\n-7\nx", None), (False, None, Fault(None, None, "x"))),
        (Seen(1, b"", BEGAN + b"\n\nMemoryError: ", None), (False, "memory", Fault(None, None, "MemoryError: "))),
        (Seen(1, b"", BEGAN + b"answer\n1\nOSError: [Errno 28] No", None),
         (False, "disk", Fault("answer", 1, "OSError: [Errno 28] No"))),
        (Seen(1, b"", BEGAN + b"answer\n1\nRuntimeError: can't start new thread", None),
         (False, "processes", Fault("answer", 1, "RuntimeError: can't start new thread"))),
    ],
)  # fmt: skip
def test_only_a_token_with_a_clean_exit_is_an_end(seen: Seen, wanted: tuple[bool, str | None, Fault | None]) -> None:
    found = ran(seen, TOKEN)
    assert (found.is_finished, found.killed, found.fault) == wanted
