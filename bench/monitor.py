"""Runs the collapse experiments, detection on the plays, and the monitor's speed, each against its bars."""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import engines
import monitor_speed
import results
from experiments import (
    b1_regression,
    b2_categorical,
    b3_gaussian,
    b4_fresh_mix,
    b5_golden_weighting,
    b6_strong_collapse,
    b7_verifier,
    b8_tail,
    b10_honesty,
    b12_closed_loop,
    d1_detection,
    d2_slow_drift,
    d3_shift,
    d4_contamination,
    d5_corpus_scale,
    d6_second_opinion,
    d7_short_documents,
)
from experiments.bar import Bar
from rich.console import Console
from rich.table import Table

EXPERIMENTS = (
    b1_regression,
    b2_categorical,
    b3_gaussian,
    b4_fresh_mix,
    b5_golden_weighting,
    b6_strong_collapse,
    b7_verifier,
    b8_tail,
    b10_honesty,
    b12_closed_loop,
    d1_detection,
    d2_slow_drift,
    d3_shift,
    d4_contamination,
    d5_corpus_scale,
    d7_short_documents,
)
Tables = dict[str, dict[str, Any]]  # by title: rows by name
Run = Callable[[int, bool], tuple[list[Bar], Tables]]  # takes the seed, and whether the largest size is wanted


def main(arguments: Sequence[str]) -> int:
    """Run them; a bar that was missed is shown, and is no error: it may be the theory that is wrong."""
    given = _arguments(arguments)
    written: dict[str, Any] = {"machine": results.machine(), "seed": given.seed, "left_out": {}, "seconds": {}}
    found, tables = {}, {}
    for name in given.only or RUNS:
        start = time.perf_counter()
        try:
            found[name], tables[name] = RUNS[name](given.seed, given.full)
        except FileNotFoundError as error:
            written["left_out"][name] = str(error)
            print(f"{name} is left out: {error}", file=sys.stderr)
            continue
        written["seconds"][name] = round(time.perf_counter() - start, 1)
        print(f"{name}: {written['seconds'][name]} s", file=sys.stderr)
        results.write("monitor", written | {"experiments": _rows(found), "tables": tables})  # what follows may fail
    _show(found, tables)
    return 0


def _rows(found: dict[str, list[Bar]]) -> dict[str, list[dict[str, Any]]]:
    return {name: [asdict(bar) | {"reached": bar.reached} for bar in bars] for name, bars in found.items()}


def _arguments(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="of every experiment")
    parser.add_argument("--full", action="store_true", help="also a million documents through sketch and core")
    parser.add_argument("--only", nargs="+", choices=RUNS, help="run these alone")
    return parser.parse_args(arguments)


def _speed(_seed: int, full: bool) -> tuple[list[Bar], Tables]:
    found = monitor_speed.measure(full=full)
    rows = {f"{part}, {size:,}": row for size, parts in found.rows.items() for part, row in parts.items()}
    return found.bars, {"rates": rows, **{f"share of {part}'s time": shares for part, shares in found.profile.items()}}


def _engines(_seed: int, _full: bool) -> tuple[list[Bar], Tables]:
    found = engines.measure()
    return found.bars, {"engines": found.rows, "ratio": found.ratio}


def _second_opinion(seed: int, _full: bool) -> tuple[list[Bar], Tables]:
    return [], {f"D6: {title}": rows for title, rows in d6_second_opinion.measure(seed).items()}


def _experiment(module: Any) -> Run:
    return lambda seed, _full: (module.run(seed), {})


RUNS: dict[str, Run] = {
    **{module.__name__.removeprefix("experiments."): _experiment(module) for module in EXPERIMENTS},
    "d6_second_opinion": _second_opinion,
    "speed": _speed,
    "engines": _engines,
}


def _show(found: dict[str, list[Bar]], tables: dict[str, Tables]) -> None:
    console = Console()
    console.width = max(console.width, 120)  # in a log it would be 80, and rows would wrap
    table = Table("experiment", "bar", "measured", "expected", "tolerance", "", title="Collapse and its detection")
    for name, bars in found.items():
        for number, bar in enumerate(bars):
            reached = "reached" if bar.reached else "MISSED"
            values = f"{bar.measured:.4g}", f"{bar.expected:.4g}"
            table.add_row(
                "" if number else name.split("_")[0].upper(),
                bar.name,
                *values,
                bar.allowed,
                reached,
                end_section=bar is bars[-1],
            )
    if table.row_count:
        console.print(table)
    for title, rows in (each for of in tables.values() for each in of.items()):
        console.print(_plain(title, rows))


def _plain(title: str, rows: dict[str, Any]) -> Table:
    """Return a table of rows of numbers, or of single numbers."""
    columns = next((list(row) for row in rows.values() if isinstance(row, dict)), ["share"])
    table = Table("", *columns, title=title)
    for name, row in rows.items():
        values = row.values() if isinstance(row, dict) else [row]
        table.add_row(name, *(f"{value:,.0f}" if abs(value) >= 10 else f"{value:.2f}" for value in values))
    return table


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
