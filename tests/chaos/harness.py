"""Feeds a group of stage processes, kills and freezes them while they work, and counts with a reader of its own."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

from confluent_kafka import Consumer, Message, Producer, TopicPartition

from streams.codec import Codec
from streams.events import SampleGenerated
from streams.samples import Lineage, Sample, Turn

ROOT = Path(__file__).parents[2]
CODEC = Codec()
SLOTS = 3
CHUNK = 400


def frame(number: int) -> bytes:
    one = Sample(
        sample_id=str(number),
        content_hash=str(number),
        task="text",
        turns=(Turn(role="document", text="word " * 40),),
        lineage=Lineage(origin="SYNTHETIC", generation=1),
    )
    return CODEC.encode(SampleGenerated(event_id=str(number), occurred_at=0, sample=one))


class Feed:
    """Writes numbered candidates without pause until it is stopped."""

    def __init__(self, bootstrap: str, pipeline: str, count: int = 0) -> None:
        self.count = count
        self._topic = f"{pipeline}.generate"
        self._stopping = threading.Event()
        self._producer = Producer({"bootstrap.servers": bootstrap, "enable.idempotence": True})
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stopping.wait(0.05):
            for _ in range(CHUNK):
                self._producer.produce(self._topic, frame(self.count), str(self.count).encode())
                self.count += 1
            self._producer.poll(0)

    def stop(self) -> int:
        self._stopping.set()
        self._thread.join()
        assert self._producer.flush(30) == 0
        return self.count


class Workers:
    """One process a slot."""

    def __init__(self, bootstrap: str, pipeline: str, mode: str, folder: Path) -> None:
        self._arguments = (bootstrap, pipeline, mode)
        self._folder = folder
        self._log = (folder / "workers.log").open("ab")
        self.slots = [self._start(slot) for slot in range(SLOTS)]
        self.zombies: list[subprocess.Popen[bytes]] = []

    def _start(self, slot: int) -> subprocess.Popen[bytes]:
        worker = [sys.executable, str(Path(__file__).with_name("worker.py")), *self._arguments, str(slot)]
        return subprocess.Popen(worker, cwd=ROOT, stdout=self._log, stderr=self._log)

    def kill(self, slot: int) -> None:
        self.slots[slot].kill()
        self.slots[slot].wait()
        self.slots[slot] = self._start(slot)

    def kill_all(self) -> None:
        """Kill every slot and start none."""
        for process in self.slots:
            process.kill()
            process.wait()

    def freeze(self, slot: int) -> None:
        """Freeze a process and let another take its slot: the first becomes a zombie."""
        os.kill(self.slots[slot].pid, signal.SIGSTOP)
        self.zombies.append(self.slots[slot])
        self.slots[slot] = self._start(slot)

    def thaw(self) -> None:
        for zombie in self.zombies:
            os.kill(zombie.pid, signal.SIGCONT)

    def revive(self) -> None:
        """Start what ended by itself, as the supervisor does."""
        for slot, process in enumerate(self.slots):
            if process.poll() is not None:
                self.slots[slot] = self._start(slot)

    def stop(self) -> None:
        for process in [*self.slots, *self.zombies]:
            process.kill()
            process.wait()
        self._log.close()

    def output(self) -> str:
        return (self._folder / "workers.log").read_text(errors="replace")


class Reader:
    """Reads all records of a topic with plain confluent-kafka; the outputs, unless another word is given."""

    def __init__(self, bootstrap: str, pipeline: str, level: str, word: str = "verify") -> None:
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": f"{pipeline}-reader-{word}-{level}",
                "isolation.level": level,
                "enable.auto.commit": False,
            }
        )
        self._consumer.assign([TopicPartition(f"{pipeline}.{word}", number, 0) for number in range(4)])
        self.seen: Counter[str] = Counter()
        self._ends: dict[int, int] = {}

    def catch_up(self, polls: int = 1_000) -> None:
        """Read until nothing more comes for a while, or so many times."""
        quiet = 0
        while quiet < 3 and (polls := polls - 1) >= 0:
            messages = self._consumer.consume(5_000, 0.3)
            quiet = 0 if messages else quiet + 1
            self.seen.update((message.key() or b"").decode() for message in messages if self._is_new(message))

    def _is_new(self, message: Message) -> bool:
        """Tell whether a record was not read before: librdkafka may deliver one again after a broker's death."""
        if message.error() is not None:
            return False
        partition, offset = message.partition() or 0, message.offset() or 0
        if offset < self._ends.get(partition, 0):
            print(f"partition {partition}: offset {offset} was delivered again")
            return False
        self._ends[partition] = offset + 1
        return True

    def close(self) -> None:
        self._consumer.close()


def shake(workers: Workers, rng: random.Random, faults: int) -> None:
    """Inject faults at random moments: three kills for each freeze."""
    for number in range(faults):
        time.sleep(rng.uniform(0.2, 1.2))
        workers.revive()
        slot = rng.randrange(SLOTS)
        if number % 4 == 3:
            workers.freeze(slot)
        else:
            workers.kill(slot)
