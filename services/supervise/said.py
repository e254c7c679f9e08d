"""Why a stage waits or ended, by the newest line of its log that says so."""

import os
import re
from collections.abc import Sequence
from pathlib import Path

_BYTES = 16_384  # of a log's end that are read
_WHY = re.compile(r' why=("(?:[^"\\]|\\.)*"|\S*)')
_ERROR = "Error: "


def said(log: Path, *, is_running: bool) -> str:
    """Return the sentence; empty where there is none. Reads the file's end."""
    try:
        with log.open("rb") as raw:
            raw.seek(max(0, raw.seek(0, os.SEEK_END) - _BYTES))
            return newest(raw.read().decode(errors="replace").splitlines(), is_running=is_running)
    except OSError:
        return ""


def newest(lines: Sequence[str], *, is_running: bool) -> str:
    """Return what a process's last line says; of one that runs, nothing that another before it said."""
    for line in reversed(lines):
        if line.startswith(_ERROR):
            return "" if is_running else line.removeprefix(_ERROR)
        if " event=stopped" in line:
            return ""
        if line.startswith("timestamp=") and not re.search(" event=(started|ended) ", line):
            found = _WHY.search(line)
            return _text(found[1]) if found else ""
    return ""


def _text(value: str) -> str:
    """Undo what the log does to a value with spaces in it."""
    return re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value
