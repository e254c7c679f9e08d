"""Runs the collapse experiments, B1 to B8 and B12, and detection on the plays, D1, each against its bars."""

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict

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
    b12_closed_loop,
    d1_detection,
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
    b12_closed_loop,
    d1_detection,
)


def main(arguments: Sequence[str]) -> int:
    """Run all of them; a bar that was missed is shown, and is no error: it may be the theory that is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="of every experiment")
    seed = parser.parse_args(arguments).seed
    machine = results.machine()
    found, seconds = {}, {}
    for experiment in EXPERIMENTS:
        name, start = experiment.__name__.removeprefix("experiments."), time.perf_counter()
        found[name] = experiment.run(seed)
        seconds[name] = round(time.perf_counter() - start, 1)
        print(f"{name}: {seconds[name]} s", file=sys.stderr)
    _show(found)
    rows = {name: [asdict(bar) | {"reached": bar.reached} for bar in bars] for name, bars in found.items()}
    written = {"machine": machine, "seed": seed, "seconds": seconds, "experiments": rows}
    print(f"Written to {results.write('monitor', written)}")
    return 0


def _show(found: dict[str, list[Bar]]) -> None:
    console = Console()
    console.width = max(console.width, 100)  # in a log it would be 80, and rows would wrap
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
    console.print(table)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
