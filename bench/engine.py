"""The monitor on one engine in a process of its own: `engine.py ENGINE ADDRESS FOLDER`.

The sketches lie in the folder. A tenth of them go into the topic first, and the others when those are taken, which is
when the clock begins: what lies there when the engine becomes active, Faust would not bring but the monitor would read
by itself.
"""

import sys
import time
from pathlib import Path

import cluster
import cost
import frames
from recipe import bench_recipe

from services import pipeline
from services.monitor.service import Monitor
from services.stage import Context
from streams.kafka import KafkaBroker
from streams.metrics import Metrics
from streams.topics import name

SKETCHES = "sketches"
_STORED_SECONDS = 3.0  # after which measures lie in the topic too


def main(arguments: list[str]) -> None:
    """Take all sketches."""
    engine, bootstrap, place = arguments
    folder = Path(place)
    sketches, topic = list(frames.read(folder / SKETCHES)), name(folder.name, "sketch")
    monitor = Monitor(_context(engine, bootstrap, folder))
    monitor.start()
    first = len(sketches) // 10
    _put(bootstrap, topic, sketches[:first])
    _step_until(monitor, first)
    _put(bootstrap, topic, sketches[first:])
    began, cpu = time.perf_counter(), time.process_time()
    _step_until(monitor, len(sketches))
    seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu
    while time.perf_counter() < began + seconds + _STORED_SECONDS:
        monitor.step()
    monitor.close()
    cost.tell(sketches=len(sketches) - first, seconds=seconds, cpu_seconds=cpu_seconds)


def _step_until(monitor: Monitor, count: int) -> None:
    """Run until the state knows so many sketches; steps count those too that come again."""
    while monitor._keeper is None or monitor._keeper.state.offset < count - 1:  # noqa: SLF001
        monitor.step()


def _put(bootstrap: str, topic: str, values: list[bytes]) -> None:
    cluster.fill(bootstrap, topic, ((b"", value) for value in values))


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
