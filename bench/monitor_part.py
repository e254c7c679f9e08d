"""Sketch or the monitor's core in a process of its own, without Kafka: `monitor_part.py WHAT FOLDER COUNT [profile]`.

`sketch` decodes candidates, sketches them and encodes the sketches, and leaves those in the folder; `core` decodes and
takes them. Both as their stages do it, in batches of 1,000. Only this is on the clock, without its first tenth: what
makes texts and files is not.
"""

import cProfile
import sys
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import cost
import frames
import profiling
import texts
from experiments.plays import columns
from experiments.replay import BATCH, Batches, Sketching, core, start
from recipe import bench_recipe

from services import artefact
from services.artefact import Artefact
from services.monitor.yardstick import Yardstick
from streams.codec import Codec
from streams.events import BatchSketched, SampleGenerated
from streams.processor import Input
from streams.samples import RecipeVersion

WINDOW, FITTED, SOURCES = 1_000, 1_000, 3
_WARM_UP = 0.1


class Clock:
    """Times what it is told to."""

    def __init__(self, profile: cProfile.Profile | None) -> None:
        self._profile = profile
        self.seconds = self.cpu_seconds = 0.0

    def __enter__(self) -> None:
        self._began, self._cpu = time.perf_counter(), time.process_time()
        if self._profile is not None:
            self._profile.enable()

    def __exit__(self, *_: object) -> None:
        if self._profile is not None:
            self._profile.disable()
        self.seconds += time.perf_counter() - self._began
        self.cpu_seconds += time.process_time() - self._cpu


def main(arguments: list[str]) -> None:
    """Take COUNT documents and tell what they cost."""
    what, folder, count, *more = arguments
    profile = cProfile.Profile() if more else None
    clock, fitted = Clock(profile), artefact.build(1, [candidate.sample for candidate in _candidates(FITTED, 9)])
    sketches = Path(folder) / f"sketches-{count}"
    steps = _sketch(clock, fitted, sketches, int(count)) if what == "sketch" else _core(clock, fitted, sketches)
    done = warm = 0
    idle = cost.peak_mb()
    for documents in steps:
        done += documents
        if not warm and done >= _WARM_UP * int(count):
            warm, clock.seconds, clock.cpu_seconds = done, 0.0, 0.0
    shares = profiling.shares(profile) if profile is not None else {}
    cost.tell(samples=done - warm, seconds=clock.seconds, cpu_seconds=clock.cpu_seconds, idle_mb=idle, **shares)


def _sketch(clock: Clock, fitted: Artefact, file: Path, count: int) -> Iterator[int]:
    codec, sketching, batches, candidates = Codec(), Sketching(fitted, texts.FAMILIES), Batches(), _candidates(count, 1)
    with file.with_suffix(".new").open("wb") as out:
        while events := list(islice(candidates, BATCH)):
            (batch,) = batches.of(events)
            batch = [Input(record._replace(value=codec.encode(event)), event) for record, event in batch]
            with clock:
                decoded = [Input(record, codec.decode(record.value)) for record, _ in batch]
                sketches = [codec.encode(sketch) for sketch in sketching.take(decoded)]
            frames.write(out, sketches)
            yield len(batch)
    file.with_suffix(".new").rename(file)


def _core(clock: Clock, fitted: Artefact, file: Path) -> Iterator[int]:
    human = columns(fitted, list(texts.texts(bench_recipe(Path("plays")), WINDOW, 8)))
    monitor, state, codec = core(fitted, Yardstick(human, WINDOW), window=WINDOW, sources=SOURCES), start(), Codec()
    for offset, frame in enumerate(frames.read(file)):
        with clock:
            event = codec.decode(frame)
            assert isinstance(event, BatchSketched)
            step = monitor.take(state, event, offset)
            for measured in step.measured:
                codec.encode(measured)
        state = step.state
        yield event.documents


def _candidates(count: int, seed: int) -> Iterator[SampleGenerated]:
    recipe = bench_recipe(Path("plays"))
    version = RecipeVersion(name=recipe.pipeline, version=recipe.version)
    said = enumerate(texts.texts(recipe, count, seed))
    return (texts.candidate(version, number, text) for number, text in said)


if __name__ == "__main__":
    main(sys.argv[1:])
