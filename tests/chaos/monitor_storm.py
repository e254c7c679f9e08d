"""Sketch and two monitors as real processes under load, and a count of its own of what they should have seen."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from confluent_kafka.admin import AdminClient
from made_up import event_of, samples

from services import pipeline, steering
from services.monitor.building import keeper_of
from services.policy import Policies
from services.recipe import Recipe, load
from services.settings import Settings
from streams.broker import Outgoing, Record, TopicPartition
from streams.codec import Codec
from streams.errors import BallastError
from streams.events import BatchSketched, CollapseMeasured, MixPolicySet, SampleIngested
from streams.fold import Fold
from streams.kafka import KafkaBroker
from streams.topics import group, identity, name

ROOT = Path(__file__).parents[2]
CODEC = Codec()
WINDOW = 100
CELL, WORDS = 25, 64
_RECIPE = """
pipeline: {pipeline}
seeds: {{path: x, licence: cc0}}
sources: [{{name: tri, provider: local, family: ngram-3}}]
generate: {{target: 1}}
monitor: {{engine: {engine}, window: {window}, slots: 2}}
"""


def now() -> int:
    return time.time_ns() // 1_000_000


class Storm:
    """One pipeline of its own; a process that ends is started again, as its supervisor does."""

    def __init__(self, bootstrap: str, called: str, engine: str, folder: Path) -> None:
        self.broker, self.pipeline = KafkaBroker(bootstrap), called
        self._folder, self._path = folder, folder / "recipe.yaml"
        self._path.write_text(_RECIPE.format(pipeline=called, engine=engine, window=WINDOW))
        self.recipe: Recipe = load(self._path)
        kept = {key: value for key, value in os.environ.items() if not key.startswith("BALLAST_")}
        self._environment = {**kept, "BALLAST_KAFKA_BOOTSTRAP": bootstrap, "BALLAST_HOME": str(folder / "home")}
        self._admin = AdminClient({"bootstrap.servers": bootstrap})
        self._log = (folder / "storm.log").open("ab")
        self._slots: dict[tuple[str, int], subprocess.Popen[bytes]] = {}
        self.frozen: list[subprocess.Popen[bytes]] = []
        pipeline.prepare(self.broker, called)
        reference = [("fit", one) for one in samples("fit", 120)] + [("calibrate", o) for o in samples("calib", 1_100)]
        self._put("reference", [_ingested(one, part) for part, one in reference])
        steering.accept_reference(self.broker, CODEC, called, reason="the test's", now=now())
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._feed)
        self._thread.start()

    def start(self, stage: str, slot: int = 0) -> None:
        command = [sys.executable, "-m", "services.cli", "run", stage, "--slot", str(slot), "--recipe", str(self._path)]
        self._slots[stage, slot] = subprocess.Popen(
            command, cwd=ROOT, env=self._environment, stdout=self._log, stderr=self._log
        )

    def kill(self, stage: str, slot: int = 0) -> None:
        process = self._slots[stage, slot]
        process.kill()
        process.wait()

    def freeze(self, stage: str, slot: int) -> None:
        process = self._slots[stage, slot]
        os.kill(process.pid, signal.SIGSTOP)
        self.frozen.append(process)

    def thaw(self) -> None:
        for process in self.frozen:
            os.kill(process.pid, signal.SIGCONT)

    def revive(self) -> None:
        for (stage, slot), process in list(self._slots.items()):
            if process.poll() is not None:
                self.start(stage, slot)

    def calm(self) -> None:
        """Feed no more."""
        self._stopping.set()
        self._thread.join()

    def stop(self) -> None:
        self.calm()
        for process in self._slots.values():
            process.kill()
            process.wait()
        self._log.close()

    def output(self) -> str:
        return (self._folder / "storm.log").read_text(errors="replace")

    def active(self) -> int | None:
        """Return the slot of the monitor that has the sketches, as Kafka sees it."""
        called = group(self.pipeline, "monitor")
        for member in self._admin.describe_consumer_groups([called])[called].result().members:
            names = {member.client_id, member.group_instance_id}
            if any(part.topic == name(self.pipeline, "sketch") for part in member.assignment.topic_partitions):
                return next(slot for slot in (0, 1) if identity(self.pipeline, "monitor", slot) in names)
        return None

    def members(self) -> int:
        """Return how many monitors are in the group."""
        called = group(self.pipeline, "monitor")
        return len(self._admin.describe_consumer_groups([called])[called].result().members)

    def read(self, word: str) -> list[Record]:
        found: list[Record] = []
        fold = Fold(self.broker, [name(self.pipeline, word)], found.extend)
        fold.catch_up()
        fold.close()
        return found

    def events(self, word: str) -> list[tuple[Record, Any]]:
        return [(record, CODEC.decode(record.value)) for record in self.read(word)]

    def policy(self) -> MixPolicySet:
        policies = Policies(CODEC)
        policies.fold(self.read("policy"))
        assert policies.latest is not None
        return policies.latest

    def set_share(self, seconds: float) -> MixPolicySet:
        """Set a share for a moment: when that is over, the active monitor has to write the next policy."""
        ends = now() + int(1000 * seconds)
        return steering.set_share(
            self.broker, CODEC, self.pipeline, alpha=0.1, expires_at=ends, reason="for a moment", now=now()
        )

    def keeper(self) -> Any:
        """Return a keeper that has seen nothing, with the yardsticks that the processes build."""
        parts = pipeline.context(self.recipe, Settings(home=self._folder / "other"), self.broker)
        policy = next(p for _, p in self.events("policy") if p.reference_version)
        return keeper_of(parts, policy)

    def ends(self, word: str) -> dict[tuple[str, int], int]:
        """Return one past the last record of each partition of a topic that nobody writes in transactions."""
        at = [TopicPartition(name(self.pipeline, word), number) for number in range(4)]
        return {(word, tp.partition): end for tp, (_, end) in self.broker.bounds(at).items() if end}

    def _feed(self) -> None:
        fed = 0
        while not self._stopping.wait(0.2):
            fed += 1
            with suppress(BallastError):  # what was written nevertheless counts as what it is
                self._put("generate", [event_of("generate", one) for one in samples(f"g{fed}-", 60, source="tri")])
                self._put("seed", [event_of("seed", one) for one in samples(f"s{fed}-", 20)])

    def _put(self, word: str, events: Sequence[Any]) -> None:
        producer = self.broker.producer()
        producer.send(
            Outgoing(name(self.pipeline, word), each.event_id.encode(), CODEC.encode(each)) for each in events
        )
        producer.flush()
        producer.close()


def _ingested(one: Any, part: Any) -> SampleIngested:
    return SampleIngested(event_id=one.sample_id, occurred_at=0, pool="reference", part=part, sample=one)


def sketched(events: Sequence[tuple[Record, Any]]) -> list[tuple[int, BatchSketched]]:
    return [(record.offset, event) for record, event in events if isinstance(event, BatchSketched)]


def measured(events: Sequence[tuple[Record, Any]]) -> dict[str, CollapseMeasured]:
    """Return the measures by event_id; one that was written again says the same."""
    found: dict[str, CollapseMeasured] = {}
    for _, event in events:
        assert found.setdefault(event.event_id, event) == event
    return found
