"""How many documents a second sketch and the monitor's core take, alone and both at once, and what costs most.

Each is a process with one thread. The rates that have to be reached are those of a second of a core, which other work
on the machine does not change; the rates of the clock are shown beside them.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from experiments.bar import Bar
from processes import Process

SIZES = (10_000, 100_000)
FULL = (*SIZES, 1_000_000)
PARTS = ("sketch", "core")
RATE, FLAT = 5_000, 1.1

Row = dict[str, float]


class Speed(NamedTuple):
    """Bars; rows by size and part, where `x2` is of both at once; shares of a function in all time by part."""

    bars: list[Bar]
    rows: dict[int, dict[str, Row]]
    profile: dict[str, Row]


def measure(*, full: bool = False) -> Speed:
    """Measure every size."""
    with TemporaryDirectory(prefix="ballast-bench-") as name:
        rows = {size: _measured(Path(name), size) for size in (FULL if full else SIZES)}
        found = {part: Process("monitor_part.py", [part, name, str(SIZES[0]), "profile"]).finish() for part in PARTS}
    profile = {part: {key: value for key, value in shares.items() if "." in key} for part, shares in found.items()}
    return Speed(_bars(rows), rows, profile)


def _measured(folder: Path, size: int) -> dict[str, Row]:
    rows = {part: _row(Process("monitor_part.py", [part, str(folder), str(size)])) for part in PARTS}
    both = [Process("monitor_part.py", [part, str(folder), str(size)]) for part in PARTS]
    rows |= {f"{part} x2": _row(process) for part, process in zip(PARTS, both, strict=True)}
    for part, row in rows.items():
        print(f"{size:,} {part}: {row['rate']:,.0f}/s", file=sys.stderr)
    return rows


def _row(process: Process) -> Row:
    found = process.finish()
    return {
        "rate": found["samples"] / found["seconds"],
        "rate_of_core": found["samples"] / found["cpu_seconds"],
        "cpu_us": 1e6 * found["cpu_seconds"] / found["samples"],
        "idle_mb": found["idle_mb"],
        "peak_mb": found["peak_mb"],
    }


def _bars(rows: dict[int, dict[str, Row]]) -> list[Bar]:
    small, large = min(rows), max(rows)
    bars = [
        Bar(
            f"{size:,} documents, both at once: the slower, documents a core-second",
            _slower(row),
            RATE,
            kind="at least",
        )
        for size, row in rows.items()
    ]
    for part in PARTS:
        growth = rows[large][part]["peak_mb"] / rows[small][part]["peak_mb"]
        bars.append(Bar(f"{part}: memory of {large:,} against {small:,}", growth, FLAT, kind="at most"))
    return bars


def _slower(row: dict[str, Row]) -> float:
    return min(row[f"{part} x2"]["rate_of_core"] for part in PARTS)
