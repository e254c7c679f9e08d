"""Makes a child process die with its parent, even when the parent is killed with -9.

Run by file path: `guard.py HOW PARENT_PID COMMAND...` arranges the death and then becomes COMMAND, so the pid
that the parent knows is the command's own. `guarded` writes that argv. It imports only the standard library,
because it runs without site-packages and must be quick.
"""

import os
import select
import signal
import sys
import threading
import time
from collections.abc import Sequence

_KERNEL, _WATCHER = "kernel", "watcher"
_POLL_SECONDS = 1.0
_PR_SET_PDEATHSIG = 1
_MAX_FD = 65536
_NOT_FOUND = 127


def guarded(command: Sequence[str]) -> list[str]:
    """Return the argv that runs `command` bound to the life of this process; start it from the calling thread."""
    # Linux sends the signal when the *thread* that forked ends, so a helper thread gets the watcher instead.
    kernel = sys.platform == "linux" and threading.current_thread() is threading.main_thread()
    how = _KERNEL if kernel else _WATCHER
    return [sys.executable, "-I", "-S", os.path.abspath(__file__), how, str(os.getpid()), *command]  # noqa: PTH100


def main(arguments: Sequence[str]) -> int:
    """Bind this process to its parent and become the command; returns only when the command cannot be run."""
    how, parent, *command = arguments
    if how == _KERNEL:
        _ask_kernel()
    else:
        _fork_watcher(int(parent))
    if os.getppid() != int(parent):  # it died before we were bound to it
        return 1
    try:
        os.execvp(command[0], command)  # noqa: S606 - the command is our own
    except OSError as error:
        sys.stderr.write(f"{command[0]} cannot be run: {error.strerror}\n")
    return _NOT_FOUND


def _ask_kernel() -> None:
    import ctypes  # noqa: PLC0415 - the process that only imports `guarded` does not need it

    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _fork_watcher(parent: int) -> None:
    child = os.getpid()
    if os.fork() == 0:
        try:
            _watch(parent, child)
        finally:
            os._exit(0)


def _watch(parent: int, child: int) -> None:
    """Wait until either process ends; kill the child if it was the parent."""
    os.setsid()  # Ctrl-C is for the child to answer
    os.closerange(0, _MAX_FD)  # a pipe or lock of the child's must not outlive it here
    try:
        while not _ended_within(_POLL_SECONDS, parent):
            if os.getppid() != child:
                return
    finally:
        if os.getppid() == child:
            os.kill(child, signal.SIGKILL)


def _ended_within(seconds: float, pid: int) -> bool:
    try:
        if sys.platform == "linux":  # notices the end at once, and of a process that nobody has waited for too
            handle = os.pidfd_open(pid)
            ready, _, _ = select.select([handle], [], [], seconds)
            os.close(handle)
            return bool(ready)
        else:  # noqa: RET505 - mypy follows the platform only so
            time.sleep(seconds)
            os.kill(pid, 0)
            return False
    except OSError:
        return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
