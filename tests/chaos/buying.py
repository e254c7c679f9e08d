"""A pipeline that buys its candidates: seeds, recipe, a vendor with faults and books, and processes to be killed."""

import json
import os
import random
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, TopicPartition
from wire import Fault, Sale

from services import pipeline
from streams.broker import Outgoing
from streams.codec import Codec
from streams.events import SampleIngested
from streams.kafka import KafkaBroker
from streams.samples import Lineage, Sample, Turn, digest, fraction
from streams.topics import TOPICS, name

KEY = "sk-secret-0123456789"
IN, OUT = 1e-6, 5e-6  # dollars of a token
USUAL = 110 * IN + 15 * OUT  # of a call
SILENCE = 5.0
_REFUSED = 0.25  # of all calls: verify rejects what they say
_ONE_OF = 20  # requests meets a fault
_WORDS = 40


def says(last_turn: str) -> str:
    """Answer each prompt in words of its own, or as an assistant that will not."""
    if fraction("refused", last_turn) < _REFUSED:
        return "I'm sorry, but I can't help with that request."
    return " ".join(digest(last_turn, number)[:6] for number in range(_WORDS))


def tokens(last_turn: str) -> tuple[int, int]:
    """Count other tokens for each call, so that a bill of another call would be seen."""
    return 60 + int(100 * fraction("in", last_turn)), 5 + int(20 * fraction("out", last_turn))


def faults(requests: int, rng: random.Random) -> dict[int, Fault]:
    """Script a fault for one of each twenty requests, all kinds in turn."""
    said = {"type": "error", "error": {"message": f"not with {KEY}"}}
    kinds = [
        Fault(429, said),
        Fault(429, said, {"Retry-After": "0.2"}),
        Fault(500, said),
        Fault(cuts=True),
        Fault(200, "{half"),
        Fault(seconds=SILENCE + 0.5),
        Fault(reason="refusal"),
        Fault(400, said),
    ]
    found: dict[int, Fault] = {}
    for place, first in enumerate(range(0, requests, _ONE_OF)):
        if place % len(kinds) == 0:
            rng.shuffle(kinds)
        found[first + rng.randrange(_ONE_OF)] = kinds[place % len(kinds)]
    return found


def is_broken_off(fault: Fault) -> bool:
    """Tell whether an answer was billed that did not reach us."""
    return fault.cuts or fault.seconds > 0


def dollars(sales: Iterable[Sale]) -> float:
    return sum(sale.tokens_in * IN + sale.tokens_out * OUT for sale in sales)


class Buying:
    """One pipeline on a real broker; each call has a seed of its own, so its last turn names it."""

    def __init__(self, bootstrap: str, called: str, folder: Path, url: str, *, target: int, concurrency: int) -> None:
        self.name, self.broker, self.target = called, KafkaBroker(bootstrap), target
        self._bootstrap, self._folder, self._url, self._concurrency = bootstrap, folder, url, concurrency
        self.calls = 2 * target
        pipeline.prepare(self.broker, called)
        producer, topic = self.broker.producer(), name(called, "seed")
        producer.send([Outgoing(topic, str(number).encode(), _seed(number)) for number in range(self.calls)])
        producer.flush()
        producer.close()
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self, stage: str, budget: float) -> "subprocess.Popen[bytes]":
        recipe = self._folder / "recipe.json"
        recipe.write_text(json.dumps(self._recipe(budget)))
        with self.log(stage).open("ab") as log:
            process = subprocess.Popen(self._command("run", stage), env=self._environment(), stdout=log, stderr=log)
        self._processes.append(process)
        return process

    def told(self, command: str) -> Any:
        done = subprocess.run(
            self._command(command, "--json"), env=self._environment(), capture_output=True, check=True, timeout=120
        )
        return json.loads(done.stdout)

    def log(self, stage: str) -> Path:
        return self._folder / f"{stage}.log"

    def close(self) -> None:
        for process in self._processes:
            process.kill()
            process.wait()

    def _command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "services.cli", *arguments, "--recipe", str(self._folder / "recipe.json")]

    def _environment(self) -> dict[str, str]:
        where = {"BALLAST_KAFKA_BOOTSTRAP": self._bootstrap, "BALLAST_HOME": str(self._folder / "home")}
        return {**os.environ, **where, "MY_KEY": KEY, "BALLAST_LOG_LEVEL": "debug"}

    def _recipe(self, budget: float) -> dict[str, Any]:
        served = {"api_key_variable": "MY_KEY", "price": {"input": 1e6 * IN, "output": 1e6 * OUT}}
        served |= {"seconds": SILENCE, "concurrency": self._concurrency}
        bases = {"openai": f"{self._url}/v1", "anthropic": self._url}
        return {
            "pipeline": self.name,
            "task": "instruction",
            "seeds": {"path": ".", "licence": "public-domain"},
            "sources": [
                {
                    "name": f"a-{each}",
                    "provider": each,
                    "model": f"m-{each}",
                    "family": each,
                    "base_url": base,
                    **served,
                }
                for each, base in bases.items()
            ],
            "generate": {
                "target": self.target,
                "over_generate": self.calls / self.target,
                "in_flight": 10**6,
                "budget": {"dollars": budget},
            },
            "verify": {"checks": ["format", "depth", "refusal", "duplicate"], "audit_share": 0},
        }


def _seed(number: int) -> bytes:
    text = f"What is known of {digest('seed', number)}?"
    sample = Sample(
        sample_id=digest("seed", number),
        content_hash=digest("seed", number),
        task="instruction",
        turns=(Turn(role="user", text=text), Turn(role="assistant", text=f"Nothing but {digest('known', number)}.")),
        lineage=Lineage(origin="HUMAN", generation=0),
    )
    return Codec().encode(SampleIngested(event_id=sample.sample_id, occurred_at=0, pool="seed", sample=sample))


class Topics:
    """Everything that lies in a pipeline's topics, aborted records too, read by plain confluent-kafka."""

    def __init__(self, bootstrap: str, called: str, level: str = "read_committed") -> None:
        self._prefix = f"{called}."
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": f"{called}-{level}",
                "isolation.level": level,
                "enable.auto.commit": False,
            }
        )
        known = self._consumer.list_topics(timeout=10).topics
        topics = {each: known[each] for each in known if each.startswith(self._prefix)}
        assert len(topics) >= len(TOPICS)
        self._consumer.assign([TopicPartition(each, at, 0) for each in topics for at in topics[each].partitions])
        self.values: dict[str, list[bytes]] = {}
        self.keys: dict[str, Counter[bytes]] = defaultdict(Counter)

    def read(self, is_done: Callable[[], bool]) -> None:
        """Read on until nothing comes for a while after `is_done`."""
        quiet = 0
        while quiet < 3:
            messages = self._consumer.consume(5_000, 0.3)
            quiet = 0 if messages or not is_done() else quiet + 1
            for message in messages:
                assert message.error() is None
                word = (message.topic() or "").removeprefix(self._prefix)
                self.values.setdefault(word, []).append(message.value() or b"")
                self.keys[word][message.key() or b""] += 1

    def count(self, word: str) -> int:
        return len(self.values.get(word, ()))

    def close(self) -> None:
        self._consumer.close()
