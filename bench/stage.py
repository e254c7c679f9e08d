"""One stage on one prepared pipeline, measured in a process of its own: `stage.py STAGE ADDRESS FOLDER COUNT [RANK]`.

The clock leaves out the first tenth of the work, so that neither the start nor the wait for the group counts; the
start, which folds state, has a clock of its own.
"""

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cost
from recipe import bench_recipe

from services import pipeline
from services.ingest.inputs import find
from services.ingest.service import Ingest
from services.stage import Context, Stage, start
from streams.dataset import Dataset
from streams.kafka import KafkaBroker
from streams.metrics import Metrics

_WARM_UP = 0.1


def main(arguments: list[str]) -> None:
    """Run the stage until `COUNT` samples are through."""
    name, bootstrap, folder, count, *rank = arguments
    context = _context(bootstrap, Path(folder))
    idle = cost.peak_mb()
    began = time.monotonic()
    if name == "trainer":
        dataset, work = _trainer(context, *(map(int, rank)))
        close: Callable[[], None] = dataset.close
    else:
        stage = _stage(name, context, Path(folder))
        start(stage)
        work, close = _steps(stage), stage.close
    started = time.monotonic() - began
    measured = _timed(work, int(count))
    close()
    cost.tell(start_seconds=started, idle_mb=idle, **measured)


def _context(bootstrap: str, folder: Path) -> Context:
    recipe, broker = bench_recipe(folder), KafkaBroker(bootstrap)
    return Context(
        recipe=recipe,
        broker=broker,
        codec=pipeline.codec(broker, recipe.pipeline),
        slot=0,
        now=pipeline.now,
        metrics=Metrics(),
        spools=folder / "spools",
    )


def _stage(name: str, context: Context, folder: Path) -> Stage:
    if name == "ingest":
        return Ingest(context, find(context.recipe, [str(folder / "texts.jsonl")]), lambda _done, _total: None)
    return pipeline.build(name, context)


def _steps(stage: Stage) -> Iterator[int]:
    while True:
        yield stage.step()


def _trainer(context: Context, consumer: int, consumers: int) -> tuple[Dataset, Iterator[int]]:
    name = f"bench-{consumers}"
    dataset = Dataset(
        context.broker, context.codec, context.pipeline, trainer=name, consumer=consumer, consumers=consumers
    )
    return dataset, (len(batch.samples) for batch in dataset.batches())


def _timed(work: Iterator[int], count: int) -> dict[str, float]:
    """Do the work; the first tenth is warm-up."""
    done = 0
    while done < count * _WARM_UP:
        done += next(work)
    first, began, cpu = done, time.time(), time.process_time()
    while done < count:
        done += next(work)
    return {"samples": done - first, "began": began, "ended": time.time(), "cpu_seconds": time.process_time() - cpu}


if __name__ == "__main__":
    main(sys.argv[1:])
