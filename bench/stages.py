"""Measures ingest, verify, mix and trainer at growing numbers of samples: rate, memory, and whether the cost grows.

A size is a pipeline of its own: N texts are ingested, N candidates verified, N samples mixed, and those trained on.
Each stage is the real one in a process of its own on the outputs of the one before it.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

import cluster
import results
import texts
from processes import Process
from recipe import SHARE, bench_recipe
from rich.console import Console
from rich.table import Table

from services import pipeline, steering
from services.recipe import Recipe
from streams.codec import Codec
from streams.kafka import KafkaBroker
from streams.samples import RecipeVersion
from streams.topics import name

Row = dict[str, float]
SIZES = (10_000, 100_000)
FULL = (*SIZES, 1_000_000)
RATES = {"verify": 5_000, "mix": 20_000, "trainer": 50_000, "trainer x2": 100_000}
GROWTH = 1.2
REPEATS = 3  # of the smallest size, which all others are compared with


def main(arguments: Sequence[str]) -> int:
    """Run the measurements."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="also a million samples (ten minutes and some gigabytes)")
    sizes = FULL if parser.parse_args(arguments).full else SIZES
    machine = results.machine()
    rows: dict[str, dict[int, Row]] = {}
    with cluster.embedded() as (bootstrap, folder):
        for size in sizes:
            repeats = [
                _pipeline(bootstrap, folder / f"n{size}-{i}", size) for i in range(REPEATS if size == sizes[0] else 1)
            ]
            for stage in repeats[0]:
                rows.setdefault(stage, {})[size] = _median([repeat[stage] for repeat in repeats])
    for measured in rows.values():
        for row in measured.values():
            row["growth"] = row["cpu_us"] / measured[sizes[0]]["cpu_us"]
    _show(rows)
    print(f"Written to {results.write('stages', {'machine': machine, 'stages': rows})}")
    return 0


def _pipeline(bootstrap: str, folder: Path, size: int) -> dict[str, Row]:
    """Run every stage once."""
    folder.mkdir()
    recipe = bench_recipe(folder)
    _prepare(bootstrap, folder, recipe, size)
    rows: dict[str, Row] = {}
    where = [bootstrap, str(folder), str(size)]
    for stage in ("ingest", "verify", "mix"):
        rows[stage] = _row([Process("stage.py", [stage, *where]).finish()])
        if stage == "ingest":
            _accept(bootstrap, recipe)
        print(f"{size:,} {stage}: {rows[stage]['rate']:,.0f}/s", file=sys.stderr)
    for count in (1, 2):
        each = [bootstrap, str(folder), str(size // 256 // 2 * 256 * 2 // count)]
        trainers = [Process("stage.py", ["trainer", *each, str(rank), str(count)]) for rank in range(count)]
        label = "trainer" if count == 1 else f"trainer x{count}"
        rows[label] = _row([trainer.finish() for trainer in trainers])
        print(f"{size:,} {label}: {rows[label]['rate']:,.0f}/s", file=sys.stderr)
    return rows


def _prepare(bootstrap: str, folder: Path, recipe: Recipe, size: int) -> None:
    """Write the input of ingest and of verify, and a policy that allows the whole share."""
    with (folder / "texts.jsonl").open("w", encoding="utf-8") as file:
        file.writelines(json.dumps({"text": text}) + "\n" for text in texts.texts(recipe, size, 1))
    broker = KafkaBroker(bootstrap)
    pipeline.prepare(broker, recipe.pipeline)
    cluster.fill(bootstrap, name(recipe.pipeline, "generate"), _candidates(recipe, size))
    steering.set_share(
        broker, Codec(), recipe.pipeline, alpha=SHARE, expires_at=None, reason="the bench's share", now=pipeline.now()
    )


def _accept(bootstrap: str, recipe: Recipe) -> None:
    """Accept the reference that was ingested, which verify waits for."""
    steering.accept_reference(
        KafkaBroker(bootstrap), Codec(), recipe.pipeline, reason="the bench's reference", now=pipeline.now()
    )


def _candidates(recipe: Recipe, size: int) -> Iterator[tuple[bytes, bytes]]:
    codec, version = Codec(), RecipeVersion(name=recipe.pipeline, version=recipe.version)
    for number, text in enumerate(texts.texts(recipe, size, 2)):
        event = texts.candidate(version, number, text)
        yield event.sample.sample_id.encode(), codec.encode(event)


def _row(measured: Sequence[Row]) -> Row:
    """Return what one or several processes together have done."""
    samples = sum(one["samples"] for one in measured)
    seconds = max(one["ended"] for one in measured) - min(one["began"] for one in measured)
    return {
        "rate": samples / seconds,
        "cpu_us": 1e6 * sum(one["cpu_seconds"] for one in measured) / samples,
        "start_seconds": max(one["start_seconds"] for one in measured),
        "idle_mb": max(one["idle_mb"] for one in measured),
        "peak_mb": max(one["peak_mb"] for one in measured),
    }


def _median(rows: Sequence[Row]) -> Row:
    return {column: median(row[column] for row in rows) for column in rows[0]}


def _show(rows: dict[str, dict[int, Row]]) -> None:
    columns = ("stage", "samples", "samples/s", "wanted", "CPU us/sample", "growth", "start s", "idle MB", "peak MB")
    table = Table(*columns, title=f"Stages (growth: of the cost per sample; wanted: <= {GROWTH})")
    for stage, measured in rows.items():
        for size, row in measured.items():
            wanted = f">= {RATES[stage]:,}" if stage in RATES else "-"
            cells = [f"{row['cpu_us']:.1f}", f"{row['growth']:.2f}", f"{row['start_seconds']:.1f}"]
            memory = [f"{row['idle_mb']:.0f}", f"{row['peak_mb']:.0f}"]
            table.add_row(stage, f"{size:,}", f"{row['rate']:,.0f}", wanted, *cells, *memory)
    Console().print(table)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
