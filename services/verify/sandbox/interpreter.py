"""Which files of the host a Python program needs: the interpreter, its standard library, and the libraries of both."""

import os
import re
import subprocess
import sys
import sysconfig
from functools import cache
from pathlib import Path
from typing import NamedTuple

from streams.errors import UnavailableError

_LIBRARY = re.compile(r"^\s+(?:\S+ => )?(/\S+) \(0x", re.MULTILINE)
_CACHE = "/etc/ld.so.cache"  # where the loader looks libraries up; it names files and holds none
_UNUSED = ("_curses", "_curses_panel", "_tkinter", "nis", "readline")  # screens and a directory service; 30 libraries
_FOREIGN = ("site-packages", "dist-packages")


class View(NamedTuple):
    """Paths that are seen, as they are on the host, and folders in them that aren't."""

    python: str
    seen: tuple[str, ...]
    hidden: tuple[str, ...]


@cache
def view() -> View:
    """Return what is needed of the host; asks the loader once, which takes a moment."""
    python = os.path.realpath(sys.executable)
    standard = os.path.dirname(os.__file__)  # noqa: PTH120 - paths here stay as the interpreter has them
    extensions = sysconfig.get_config_var("DESTSHARED") or standard
    modules = [path for path in sorted(Path(extensions).glob("*.so")) if path.name.partition(".")[0] not in _UNUSED]
    files = [python, *map(str, modules)]
    libraries = sorted({path for path in _libraries(files) if not path.startswith(f"{standard}/")})
    folders = [standard] if extensions.startswith(f"{standard}/") else [standard, extensions]
    cached = [_CACHE] if Path(_CACHE).exists() else []
    hidden = [f"{standard}/{name}" for name in _FOREIGN if Path(standard, name).is_dir()]
    return View(python, (*folders, python, *libraries, *cached), tuple(hidden))


def _libraries(files: list[str]) -> list[str]:
    try:
        told = subprocess.run(["ldd", *files], capture_output=True, text=True, check=False).stdout  # noqa: S603, S607
    except OSError as error:
        raise UnavailableError("`ldd` can't be run, so the sandbox can't be built; install it (libc-bin)") from error
    return _LIBRARY.findall(told)
