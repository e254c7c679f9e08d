"""Programs that mean harm, with what has to become of each: `finished`, a limit that ends it, or a part of its error.

A program that is `finished` has seen for itself that it could do nothing: its asserts are its tests.
"""

import platform
from typing import NamedTuple

from services.verify.sandbox.program import Limits

LOW = Limits(
    seconds=1.5,
    cpu_seconds=1,
    memory=128 << 20,
    processes=16,
    disk=2 << 20,
    files=200,
    open_files=32,
    output=32 << 10,
)
_C = "import ctypes\nlibc = ctypes.CDLL(None)\n"
_SYSCALLS = {  # x86-64, aarch64
    "process_vm_readv": (310, 270),
    "pidfd_getfd": (438, 438),
    "setns": (308, 268),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "io_uring_setup": (425, 425),
    "userfaultfd": (323, 282),
    "kexec_load": (246, 104),
    "keyctl": (250, 219),
    "open_by_handle_at": (304, 265),
    "init_module": (175, 105),
    "open_tree": (428, 428),
}
_ON = 0 if platform.machine() == "x86_64" else 1


class Hostile(NamedTuple):
    """A program and its end: killed by one of `killed`, else with an error that has `error` in it, else finished."""

    code: str
    killed: tuple[str, ...] = ()
    error: str = ""


def _call(name: str) -> Hostile:
    return Hostile(f"{_C}libc.syscall({_SYSCALLS[name][_ON]}, 0, 0, 0, 0, 0, 0)", killed=("seccomp",))


def programs(secret: str, port: int, socket: str) -> dict[str, Hostile]:
    """Return the programs; the host has a secret file, a port that is listened at, and a Unix socket."""
    return {
        "fork bomb": Hostile("import os\nwhile True:\n    os.fork()", killed=("processes",)),
        "fork bomb that goes on": Hostile(
            "import os\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        pass",
            killed=("processes",),
        ),
        "threads without end": Hostile(
            "import threading, time\nwhile True:\n    threading.Thread(target=time.sleep, args=(60,)).start()",
            killed=("processes",),
        ),
        "one big object": Hostile("x = bytearray(1 << 40)", killed=("memory",)),
        "memory bit by bit": Hostile("x = []\nwhile True:\n    x.append(bytearray(1 << 20))", killed=("memory",)),
        "memory of many": Hostile(
            "import os, time\nfor _ in range(6):\n    if not os.fork():\n        x = b'x' * (40 << 20)\n"
            "        time.sleep(60)\ntime.sleep(60)",
            killed=("memory",),
        ),
        "shared memory": Hostile(
            "import mmap\nx = mmap.mmap(-1, 200 << 20)\nfor n in range(0, 200 << 20, 4096):\n    x[n] = 1\n"
            "import time\ntime.sleep(60)",
            killed=("memory",),
        ),
        "memory in a file of no folder": Hostile("import os\nos.memfd_create('x')", error="[Errno 38]"),
        "disk": Hostile(
            "n = 0\nwhile True:\n    n += 1\n    with open(f'/tmp/{n}', 'wb') as x:\n        x.write(bytes(1 << 19))",
            killed=("disk",),
        ),
        "huge file": Hostile(
            "x = open('/tmp/x', 'wb', 0)\nwhile True:\n    x.write(bytes(1 << 19))",
            killed=("disk",),
        ),
        "sparse file": Hostile(
            "import os\nopen('/tmp/x', 'w').close()\nos.truncate('/tmp/x', 1 << 40)", killed=("disk",)
        ),
        "files without end": Hostile(
            "n = 0\nwhile True:\n    n += 1\n    open(f'/tmp/{n}', 'w').close()", killed=("disk",)
        ),
        "disk beside its own": Hostile(
            "import os\nfor folder in ('/', '/dev', '/usr', os.path.dirname(os.__file__)):\n    try:\n"
            "        open(f'{folder}/x', 'w')\n    except OSError:\n        continue\n    raise ValueError(folder)"
        ),
        "network": Hostile(
            f"import socket\nsocket.create_connection(('127.0.0.1', {port}), 1)", error="PermissionError"
        ),
        "raw network": Hostile(
            "import socket\nsocket.socket(socket.AF_PACKET, socket.SOCK_RAW)", error="PermissionError"
        ),
        "unix socket": Hostile(
            f"import socket\nsocket.socket(socket.AF_UNIX).connect({socket!r})", error="PermissionError"
        ),
        "socket pair of the network": Hostile(
            "import socket\nsocket.socketpair(socket.AF_INET)", error="PermissionError"
        ),
        "reading host files": Hostile(
            "import os\nseen = [path for path in ('/etc/passwd', '/etc/shadow', '/etc/hostname', '/proc/self/environ',"
            f" '/sys/kernel', '/var', '/home', '/root/.bashrc', {secret!r}) if os.path.exists(path)]\n"
            "assert not seen, seen"
        ),
        "proc of the host": Hostile("import os\nos.listdir('/proc')", error="FileNotFoundError"),
        "symbolic link": Hostile(
            f"import os\nos.symlink({secret!r}, '/tmp/link')\nopen('/tmp/link', 'a').write('x')",
            error="Error: [Errno",
        ),
        "hard link": Hostile("import os, sys\nos.link(sys.executable, '/tmp/python')", error="Error: [Errno"),
        "environment": Hostile("import os\nassert set(os.environ) <= {'PWD', 'LC_CTYPE'}, os.environ"),
        "other processes": Hostile(
            "import os\nfor pid in range(3, 70_000):\n    try:\n        os.kill(pid, 0)\n    except OSError:\n"
            "        continue\n    raise ValueError(pid)"
        ),
        "signal to the parent": Hostile(
            "import os, signal\ntry:\n    os.kill(os.getppid(), signal.SIGKILL)\nexcept PermissionError:\n    pass"
        ),
        "signal to all": Hostile("import os, signal\ntry:\n    os.kill(-1, signal.SIGKILL)\nexcept OSError:\n    pass"),
        "kills its own group": Hostile("import os, signal\nos.killpg(0, signal.SIGKILL)", killed=("signal",)),
        "core dump": Hostile("import os\nos.abort()", killed=("signal",)),
        "bad pointer": Hostile("import ctypes\nctypes.string_at(1)", killed=("signal",)),
        "ptrace": Hostile(f"{_C}libc.ptrace(16, 1, 0, 0)", killed=("seccomp",)),
        "mount": Hostile(f"{_C}libc.mount(b'x', b'/tmp', b'tmpfs', 0, 0)", killed=("seccomp",)),
        "unshare": Hostile(f"{_C}libc.unshare(0x10000000)", killed=("seccomp",)),
        "namespace by clone": Hostile(
            f"{_C}libc.syscall({(56, 220)[_ON]}, 0x10000011, 0, 0, 0, 0)", killed=("seccomp",)
        ),
        "clone3": Hostile(f"{_C}assert libc.syscall(435, 0, 0) == -1"),
        "chroot": Hostile("import os\nos.chroot('/tmp')", killed=("seccomp",)),
        **{name: _call(name) for name in _SYSCALLS},
        "setuid": Hostile("import os\nos.setuid(0)", error="Error: [Errno"),
        "other groups": Hostile("import os\nos.setgroups([0])", error="Error: [Errno"),
        "files that others opened": Hostile(
            "import os\nopened = []\nfor fd in range(3, 4_096):\n    try:\n        opened.append(os.fstat(fd))\n"
            "    except OSError:\n        pass\nassert len(opened) == 1, opened"
        ),
        "higher limits": Hostile(
            "import resource\nresource.setrlimit(resource.RLIMIT_NPROC, (10_000, 10_000))", error="ValueError"
        ),
        "infinite output": Hostile("while True:\n    print('x' * 1_000)", killed=("output",)),
        "infinite stderr": Hostile(
            "import sys\nwhile True:\n    print('x' * 1_000, file=sys.stderr)", killed=("output",)
        ),
        "floods the report": Hostile(
            "import os\nfor fd in range(3, 100_000):\n    try:\n        while True:\n"
            "            os.write(fd, b'x' * 1_000)\n"
            "    except OSError:\n        pass",
            killed=("output",),
        ),
        "leaves daemons": Hostile(
            "import os, time\nfor _ in range(4):\n    if not os.fork():\n        os.setsid()\n"
            "        if not os.fork():\n"
            "            time.sleep(60)\n        os._exit(0)\n"
        ),
        "sleeps for ever": Hostile("import time\ntime.sleep(60)", killed=("time",)),
        "runs for ever": Hostile("while True:\n    pass", killed=("time",)),
        "runs for ever and won't hear": Hostile(
            "import signal\nfor number in set(signal.valid_signals()) - {9, 19, 32, 33}:\n"
            "    signal.signal(number, signal.SIG_IGN)\nwhile True:\n    pass",
            killed=("time", "signal"),
        ),
        "stops itself": Hostile("import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)", killed=("time",)),
        "closes all and sleeps": Hostile("import os, time\nos.closerange(0, 32)\ntime.sleep(60)", killed=("time",)),
        "big argv": Hostile(
            "import os, sys\nos.execv(sys.executable, [sys.executable, 'x' * (1 << 22)])", error="[Errno 7]"
        ),
        "deep recursion": Hostile("def deep():\n    deep()\ndeep()", error="RecursionError"),
        "deeper recursion": Hostile(
            "import sys\nsys.setrecursionlimit(1 << 30)\ndef deep():\n    deep()\ndeep()",
            killed=("memory", "signal", "time"),
        ),
        "opens all fds": Hostile(
            "files = []\nwhile len(files) < 32:\n    files.append(open('/dev/null'))", error="[Errno 24]"
        ),
        "reads stdin": Hostile("import sys\nassert sys.stdin.read() == ''"),
        "reads the terminal": Hostile("open('/dev/tty')", error="FileNotFoundError"),
        "writes to the interpreter": Hostile("import os\nopen(os.__file__, 'a').write('x')", error="Error: [Errno"),
        "removes the interpreter": Hostile("import os, sys\nos.remove(sys.executable)", error="Error: [Errno"),
        "runs a shell": Hostile(
            "import subprocess\nsubprocess.run(['/bin/sh', '-c', 'id'])", error="FileNotFoundError"
        ),
    }
