"""What a tree of processes uses, read from /proc."""

import os
from pathlib import Path
from typing import NamedTuple

_PAGE = os.sysconf("SC_PAGE_SIZE")


class Use(NamedTuple):
    """Processes and threads of a tree, and the bytes that are resident, shared ones counted again."""

    processes: int
    memory: int


def is_countable() -> bool:
    """Tell whether this kernel says which processes are below which."""
    return Path("/proc/thread-self/children").exists()


def use_of(root: int) -> Use:
    """Return what `root` and all processes below it use; those that end meanwhile count for nothing."""
    processes = memory = 0
    waiting = [root]
    while waiting:
        folder = Path("/proc", str(waiting.pop()))
        try:
            pages = int((folder / "statm").read_bytes().split()[1])
            threads = os.listdir(folder / "task")  # noqa: PTH208 - names are all that is needed
            for thread in threads:
                waiting += [int(child) for child in (folder / "task" / thread / "children").read_bytes().split()]
        except OSError:
            continue
        processes += len(threads)
        memory += pages * _PAGE
    return Use(processes, memory)


def files_of(scratch: str) -> int:
    """Return how many files and folders lie in a file system of its own; 0 if it is gone."""
    try:
        told = os.statvfs(scratch)
    except OSError:
        return 0
    return told.f_files - told.f_ffree
