"""A pipeline for one test: a recipe, a context, and what lies in its topics."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from services.recipe import Recipe, parse
from services.stage import Context
from streams import topics
from streams.broker import Broker, TopicPartition
from streams.codec import Codec
from streams.metrics import Metrics

WORDS = ("seed", "reference", "holdout", "generate", "dead.ingest")


def recipe(path: Path | str, *, task: str = "text", pipeline: str = "test", **seeds: Any) -> Recipe:
    return parse(
        {
            "pipeline": pipeline,
            "task": task,
            "seeds": {"path": str(path), "licence": "CC0", **seeds},
            "generate": {"target": 1},
        },
        "test",
    )


def context(broker: Any, given: Recipe, now: Callable[[], int] = lambda: 7) -> Context:
    topics.ensure(broker, given.pipeline)
    return Context(
        recipe=given, broker=broker, codec=Codec(), slot=0, now=now, metrics=Metrics(), spools=Path("unused")
    )


def log(broker: Broker, pipeline: str = "test") -> dict[str, list[Any]]:
    """Return every committed event of the topics that ingest writes, by topic, sorted by id."""
    codec = Codec()
    counts = broker.partitions()
    found: dict[str, list[Any]] = {}
    for word in WORDS:
        topic = topics.name(pipeline, word)
        parts = [TopicPartition(topic, number) for number in range(counts[topic])]
        ends = broker.bounds(parts)
        consumer = broker.consumer()
        consumer.assign({part: ends[part][0] for part in parts})
        records = []
        while any(consumer.reached(part) < ends[part][1] for part in parts):
            records += consumer.poll(1_000, 0.05)
        consumer.close()
        found[word] = sorted((codec.decode(record.value) for record in records), key=lambda event: event.event_id)
    return found
