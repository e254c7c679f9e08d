"""The system calls that a program in the sandbox may not make, as a seccomp filter: classic BPF, made by hand.

What no answer needs and what opens the kernel wide ends the whole process; what libraries try in good faith (sockets,
shared memory) is refused with an error. Everything else is bounded by namespaces and limits. Numbers are those of
Linux's unistd tables; those of 424 and above are the same everywhere.
"""

import errno
import struct
from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Machine(NamedTuple):
    """What a filter needs to know of a machine: its audit constant and the numbers of calls."""

    arch: int
    killed: Sequence[int]
    refused: Mapping[int, int]
    socketpair: int
    clone: int


_KILLED_ANYWHERE = (
    *(425, 426, 427),  # io_uring: sockets and files past any filter
    *(428, 429, 430, 431, 432, 433, 442),  # open_tree, move_mount, fsopen, fsconfig, fsmount, fspick, mount_setattr
    438,  # pidfd_getfd
    443,  # quotactl_fd
)
_REFUSED_ANYWHERE = {435: errno.ENOSYS, 447: errno.ENOSYS}  # clone3, so that libraries take clone; memfd_secret
_X86_64 = Machine(
    arch=0xC000003E,
    killed=(
        *_KILLED_ANYWHERE,
        *(101, 310, 311, 312),  # ptrace, process_vm_readv, process_vm_writev, kcmp
        *(165, 166, 155, 161, 308, 272),  # mount, umount2, pivot_root, chroot, setns, unshare
        *(321, 298, 323, 246, 320),  # bpf, perf_event_open, userfaultfd, kexec_load, kexec_file_load
        *(248, 249, 250),  # add_key, request_key, keyctl
        *(175, 313, 176, 169, 167, 168),  # init_module, finit_module, delete_module, reboot, swapon, swapoff
        *(103, 163, 304, 303, 170, 171),  # syslog, acct, *_handle_at, sethostname, setdomainname
        *(164, 227, 305, 159),  # settimeofday, clock_settime, clock_adjtime, adjtimex
        *(179, 300, 212, 153),  # quotactl, fanotify_init, lookup_dcookie, vhangup
        *(237, 238, 256, 279),  # mbind, set_mempolicy, migrate_pages, move_pages
        *(172, 173, 154),  # iopl, ioperm, modify_ldt
    ),
    refused={
        **_REFUSED_ANYWHERE,
        41: errno.EPERM,  # socket
        135: errno.EPERM,  # personality
        **dict.fromkeys((319, 29, 64, 68, 240), errno.ENOSYS),  # memfd_create, shmget, semget, msgget, mq_open
    },
    socketpair=53,
    clone=56,
)
_AARCH64 = Machine(
    arch=0xC00000B7,
    killed=(
        *_KILLED_ANYWHERE,
        *(117, 270, 271, 272),
        *(40, 39, 41, 51, 268, 97),
        *(280, 241, 282, 104, 294),
        *(217, 218, 219),
        *(105, 273, 106, 142, 224, 225),
        *(116, 89, 265, 264, 161, 162),
        *(170, 112, 266, 171),
        *(60, 262, 18, 58),
        *(235, 237, 238, 239),
    ),
    refused={
        **_REFUSED_ANYWHERE,
        198: errno.EPERM,
        92: errno.EPERM,
        **dict.fromkeys((279, 194, 190, 186, 180), errno.ENOSYS),
    },
    socketpair=199,
    clone=220,
)
MACHINES = {"x86_64": _X86_64, "aarch64": _AARCH64}

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCH, _FIRST_ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data
_KILL, _REFUSE, _ALLOW = 0x80000000, 0x00050000, 0x7FFF0000
_X32 = 0x40000000  # numbers of x86-64's second table
_NAMESPACES = 0x7E020000  # CLONE_NEW*, but for time, which clone can't make
_AF_UNIX = 1


def compiled(machine: Machine) -> bytes:
    """Return the filter as the kernel takes it."""
    steps = [
        _step(_LOAD, _ARCH),
        *(_step(_EQUAL, machine.arch, then=1), _step(_RETURN, _KILL)),
        _step(_LOAD, _NUMBER),
        *_if(_AT_LEAST, _X32, _KILL),
    ]
    for number in machine.killed:
        steps += _if(_EQUAL, number, _KILL)
    for number, error in machine.refused.items():
        steps += _if(_EQUAL, number, _REFUSE | error)
    for number, test, value, if_so, if_not in (
        (machine.socketpair, _EQUAL, _AF_UNIX, _ALLOW, _REFUSE | errno.EPERM),  # asyncio wakes itself by one
        (machine.clone, _ANY_BIT, _NAMESPACES, _KILL, _ALLOW),
    ):
        steps += [_step(_EQUAL, number, otherwise=4), _step(_LOAD, _FIRST_ARGUMENT)]
        steps += [*_if(test, value, if_so), _step(_RETURN, if_not)]
    return b"".join([*steps, _step(_RETURN, _ALLOW)])


def _if(test: int, value: int, result: int) -> list[bytes]:
    return [_step(test, value, otherwise=1), _step(_RETURN, result)]


def _step(code: int, value: int, then: int = 0, otherwise: int = 0) -> bytes:
    """Return one `struct sock_filter`; `then` and `otherwise` are how many steps a test leaves out."""
    return struct.pack("=HBBI", code, then, otherwise, value)
