"""The monitor on Faust and on our own processor: the same sketches on the same broker, in turns.

Each run is a pipeline of its own with an accepted reference, whose sketches come when the engine is active.
Both have to write the same measures.
"""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

import cluster
import frames
import texts
from engine import SKETCHES
from experiments.bar import Bar
from experiments.replay import Batches, Sketching
from processes import Process
from recipe import bench_recipe

from services import artefact, pipeline, steering
from services.recipe import Recipe
from streams.broker import TopicPartition
from streams.codec import Codec
from streams.events import CollapseMeasured, ReferencePart, SampleIngested
from streams.kafka import KafkaBroker
from streams.samples import RecipeVersion, Sample
from streams.topics import name

ENGINES = ("faust", "processor")
ROUNDS, DOCUMENTS, BATCH = 3, 20_000, 100  # of 100 documents in 4 partitions, so a sketch is of some 25
FIT, CALIBRATE = 1_000, 4_000
RATE = 5_000

Row = dict[str, float]


class Engines(NamedTuple):
    """Bars; medians by engine; and Faust's rate over the processor's, taken round by round."""

    bars: list[Bar]
    rows: dict[str, Row]
    ratio: Row


def measure(rounds: int = ROUNDS, documents: int = DOCUMENTS) -> Engines:
    """Let both engines take the sketches of so many documents."""
    found: dict[str, list[Row]] = {engine: [] for engine in ENGINES}
    differing = 0
    with cluster.embedded() as (bootstrap, folder):
        samples = _samples(bench_recipe(folder), FIT + CALIBRATE, 9)
        sketches = _sketches(samples[:FIT], bench_recipe(folder), documents)
        for number in range(rounds):
            said = []
            for engine in ENGINES if number % 2 else reversed(ENGINES):
                place = folder / f"{engine}{number}"
                _prepare(bootstrap, place, samples, sketches)
                found[engine].append(_run(engine, bootstrap, place, len(sketches), documents))
                said.append(_measures(bootstrap, place.name))
                print(f"round {number} {engine}: {found[engine][-1]['sketches']:,.0f} sketches/s", file=sys.stderr)
            differing += len(said[0] ^ said[1])
    rows = {engine: {key: median(one[key] for one in of) for key in of[0]} for engine, of in found.items()}
    ratios = [one["sketches"] / other["sketches"] for one, other in zip(*found.values(), strict=True)]
    bars = [
        Bar(f"{engine}: documents a core-second", row["documents_of_core"], RATE, kind="at least")
        for engine, row in rows.items()
    ]
    bars.append(Bar("measures that only one engine wrote", differing, 0, kind="at most"))
    return Engines(bars, rows, {"faust / processor": median(ratios), "lowest": min(ratios), "highest": max(ratios)})


def _samples(recipe: Recipe, count: int, seed: int) -> list[Sample]:
    version = RecipeVersion(name=recipe.pipeline, version=recipe.version)
    return [
        texts.candidate(version, number, text).sample for number, text in enumerate(texts.texts(recipe, count, seed))
    ]


def _sketches(fit: Sequence[Sample], recipe: Recipe, documents: int) -> list[bytes]:
    codec, sketching, batches = Codec(), Sketching(artefact.build(1, fit), texts.FAMILIES), Batches()
    version = RecipeVersion(name=recipe.pipeline, version=recipe.version)
    events = [texts.candidate(version, number, text) for number, text in enumerate(texts.texts(recipe, documents, 1))]
    return [
        codec.encode(sketch)
        for start in range(0, documents, BATCH)
        for batch in batches.of(events[start : start + BATCH])
        for sketch in sketching.take(batch)
    ]


def _prepare(bootstrap: str, place: Path, samples: Sequence[Sample], sketches: Sequence[bytes]) -> None:
    place.mkdir()
    broker = KafkaBroker(bootstrap)
    pipeline.prepare(broker, place.name)
    cluster.fill(bootstrap, name(place.name, "reference"), _reference(samples))
    steering.accept_reference(broker, Codec(), place.name, reason="the bench's", now=pipeline.now())
    with (place / SKETCHES).open("wb") as file:
        frames.write(file, sketches)


def _reference(samples: Sequence[Sample]) -> Iterator[tuple[bytes, bytes]]:
    codec = Codec()
    for number, sample in enumerate(samples):
        part: ReferencePart = "fit" if number < FIT else "calibrate"
        event = SampleIngested(event_id=sample.sample_id, occurred_at=0, pool="reference", part=part, sample=sample)
        yield sample.sample_id.encode(), codec.encode(event)


def _run(engine: str, bootstrap: str, place: Path, sketches: int, documents: int) -> Row:
    cost = Process("engine.py", [engine, bootstrap, str(place)]).finish()
    rate = cost["sketches"] / cost["seconds"]
    return {
        "sketches": rate,
        "documents": rate * documents / sketches,
        "documents_of_core": documents / sketches * cost["sketches"] / cost["cpu_seconds"],
        "cpu_us": 1e6 * cost["cpu_seconds"] / cost["sketches"],
        "peak_mb": cost["peak_mb"],
    }


def _measures(bootstrap: str, run: str) -> set[str]:
    """Return everything that was measured, each event once: a repeat of the same says nothing new."""
    broker, codec = KafkaBroker(bootstrap), Codec()
    topic = TopicPartition(name(run, "measure"), 0)
    end, found = broker.bounds([topic])[topic][1], set()
    consumer = broker.consumer()
    consumer.assign({topic: 0})
    while consumer.reached(topic) < end:
        events = [codec.decode(record.value) for record in consumer.poll(1_000, 0.2)]
        found |= {repr(event) for event in events if isinstance(event, CollapseMeasured)}
    consumer.close()
    return found
