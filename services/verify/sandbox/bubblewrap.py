"""Starts programs in bubblewrap: namespaces of their own, no network, no file of the host but the interpreter's.

As root, a program keeps root's user namespace and becomes a user who owns nothing, for the kernel counts no processes
of root; as an ordinary user, it gets a user namespace, without which there would be no others.
"""

import json
import os
import platform
import re
import resource
import select
import shutil
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

from services.verify.sandbox import seccomp
from services.verify.sandbox.interpreter import View, view
from services.verify.sandbox.program import Limits
from services.verify.sandbox.started import INSIDE, WHAT_ELSE, Rlimit, refused
from services.verify.sandbox.use import is_countable
from streams.errors import UnavailableError

_FIRST_USER = 0x70000000  # above the ranges that systemd gives to containers and services
_USERS = 64  # for each process that runs programs
_INSIDE = "/inside.py"
_SPARE = 2  # processes: the first of the namespace, and one by which who is at the limit goes beyond it
_COUNTED_APART = (5, 14)


class Bubblewrap:
    """Raises UnavailableError where bubblewrap isn't installed or doesn't know the machine."""

    def __init__(self, limits: Limits) -> None:
        if (found := shutil.which("bwrap")) is None:
            raise UnavailableError(
                f"bubblewrap, which shuts in the programs of the check `code`, is not installed; run apt-get install "
                f"bubblewrap, {WHAT_ELSE}"
            )
        if (machine := seccomp.MACHINES.get(platform.machine())) is None:
            raise UnavailableError(
                f"The sandbox has no seccomp filter for {platform.machine()}; use x86_64 or aarch64, {WHAT_ELSE}"
            )
        if not is_countable():
            raise UnavailableError(
                f"The sandbox can't watch programs: this kernel lacks CONFIG_PROC_CHILDREN; use another, {WHAT_ELSE}"
            )
        self._filter = seccomp.compiled(machine)
        self._is_root = os.geteuid() == 0 and _has_all_users()
        self._fixed = [found, *arguments(view(), limits, is_root=self._is_root)]
        self.rlimits = _counted(limits.processes + _SPARE, platform.release(), is_root=self._is_root)

    def user(self, slot: int) -> int | None:
        """Return a user whom no other program has at the same time, so that its processes are counted alone."""
        return _FIRST_USER + os.getpid() * _USERS + slot % _USERS if self._is_root else None

    def start(self, report: int) -> "Boxed":
        """Start `inside`; raises UnavailableError if no namespace can be made, OSError if bubblewrap is gone."""
        told, telling = os.pipe()
        rules, ruling = os.pipe()
        try:
            os.write(ruling, self._filter)
            os.close(ruling)
            fds = ["--info-fd", str(telling), "--seccomp", str(rules)]
            command = [*self._fixed, *fds, "--", view().python, "-I", "-S", "-B", _INSIDE]
            process = subprocess.Popen(  # noqa: S603 - our own arguments
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=(report, telling, rules),
                env={},
            )
        finally:
            os.close(telling)
            os.close(rules)
        with os.fdopen(told, "rb") as info:
            return Boxed(process, info.read())


class Boxed:
    """A program in its namespaces; their first process takes all others with it."""

    def __init__(self, process: subprocess.Popen[bytes], info: bytes) -> None:
        self.process = process
        try:
            self.root = int(json.loads(info)["child-pid"])
            self._first = os.pidfd_open(self.root)
        except (ValueError, OSError) as error:
            process.kill()
            said, _ = process.communicate()
            raise refused(said.decode(errors="replace")) from error
        self.scratch: str | None = f"/proc/{self.root}/root/tmp"

    def kill(self) -> None:
        """Kill the first process of the namespace."""
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._first, signal.SIGKILL)

    def end(self) -> int:
        """Wait; bubblewrap's end is that of the first process, and with it ends the namespace."""
        status = self.process.wait()
        first = select.poll()
        first.register(self._first, select.POLLIN)
        first.poll()
        os.close(self._first)
        return status


def arguments(seen: View, limits: Limits, *, is_root: bool) -> list[str]:
    """Return bubblewrap's arguments that are the same for all programs."""
    return [
        *(f"--unshare-{space}" for space in ("ipc", "pid", "net", "uts", "cgroup-try")),
        *(() if is_root else ("--unshare-user",)),
        *("--die-with-parent", "--new-session", "--cap-drop", "ALL"),
        *(("--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID") if is_root else ()),
        *(part for folder in _folders(seen) for part in ("--perms", "0755", "--dir", folder)),
        *(part for path in seen.seen for part in ("--ro-bind", path, path)),
        *(part for path in seen.hidden for part in ("--tmpfs", path, "--remount-ro", path)),
        *("--ro-bind", str(INSIDE), _INSIDE),
        *("--perms", "1777", "--size", str(limits.disk), "--tmpfs", "/tmp"),  # noqa: S108 - the program's own
        *("--dev-bind", "/dev/null", "/dev/null", "--symlink", "/tmp", "/dev/shm"),  # noqa: S108
        *("--remount-ro", "/", "--chdir", "/tmp"),  # noqa: S108
    ]


def _folders(seen: View) -> list[str]:
    """Return the folders that lead to what is seen, the upper ones first; bubblewrap would give some to root alone."""
    return sorted({"/dev"} | {str(folder) for path in seen.seen for folder in Path(path).parents} - {"/"})


def _has_all_users() -> bool:
    """Tell whether root is that of the machine; in a container's user namespace it is an ordinary user."""
    return Path("/proc/self/uid_map").read_text(encoding="ascii").split() == ["0", "0", str(2**32 - 1)]


def _counted(most: int, release: str, *, is_root: bool) -> list[Rlimit]:
    """Return the kernel's limit of processes; before Linux 5.14 it counts all that a user has, so it is no use."""
    found = re.match(r"(\d+)\.(\d+)", release)
    is_apart = is_root or (found is not None and (int(found[1]), int(found[2])) >= _COUNTED_APART)
    return [(resource.RLIMIT_NPROC, most, most)] if is_apart else []
