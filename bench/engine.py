"""The monitor on one engine in a process of its own: `engine.py ENGINE ADDRESS FOLDER COUNT`."""

import sys
import time
from pathlib import Path

import cost
from recipe import bench_recipe

from services import pipeline
from services.monitor.service import Monitor
from services.stage import Context
from streams.kafka import KafkaBroker
from streams.metrics import Metrics

_WARM_UP = 0.1


def main(arguments: list[str]) -> None:
    """Take COUNT sketches; the first tenth, with the start, is not on the clock."""
    engine, bootstrap, folder, count = arguments
    monitor = Monitor(_context(engine, bootstrap, Path(folder)))
    monitor.start()
    done = warm = 0
    began = cpu = 0.0
    while done < int(count):
        done += monitor.step()
        if not warm and done >= _WARM_UP * int(count):
            warm, began, cpu = done, time.perf_counter(), time.process_time()
    seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu
    monitor.close()
    cost.tell(sketches=done - warm, seconds=seconds, cpu_seconds=cpu_seconds)


def _context(engine: str, bootstrap: str, folder: Path) -> Context:
    recipe, broker = bench_recipe(folder), KafkaBroker(bootstrap)
    monitor = recipe.monitor.model_copy(update={"engine": engine})
    return Context(
        recipe=recipe.model_copy(update={"monitor": monitor}),
        broker=broker,
        codec=pipeline.codec(broker, recipe.pipeline),
        slot=0,
        now=pipeline.now,
        metrics=Metrics(),
        spools=folder / "spools",
    )


if __name__ == "__main__":
    main(sys.argv[1:])
