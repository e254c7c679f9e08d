"""One stage process for the chaos tests: `worker.py BOOTSTRAP PIPELINE MODE SLOT` accepts every candidate.

With MODE `dawdling` it waits before each commit, so that faults hit open transactions. With `plain` the same loop
runs without transactions: offsets are committed after the records of ten batches, as at-least-once consumers do, to
show that the tests would notice.
"""

import sys
import time
from collections.abc import Iterable, Sequence
from typing import Any

from confluent_kafka import TopicPartition as RawPartition

from streams.broker import Consumer, Outgoing, Record
from streams.codec import Codec
from streams.errors import BallastError
from streams.events import SampleGenerated, SampleVerified, event_id
from streams.kafka import KafkaBroker
from streams.processor import Handled, Input, Limits, Processor, Wiring
from streams.writer import Output


class AcceptAll:
    """Accepts; takes a while for a batch, as a real stage does."""

    def fold(self, records: Sequence[Record]) -> None:
        """No state."""

    def handle(self, batch: Sequence[Input]) -> Handled:
        outputs = []
        for _, event in batch:
            assert isinstance(event, SampleGenerated)
            one = event.sample
            accepted = SampleVerified(event_id=event_id(SampleVerified, one.sample_id), occurred_at=0, sample=one)
            outputs.append(Output("verify", one.sample_id, accepted))
        return Handled(outputs)

    def apply(self, delta: Any) -> None:
        """No state."""


class Plain:
    """A producer that only pretends to have transactions."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self._consumer: Any = None
        self._batches = 0

    def init(self) -> None: ...

    def begin(self) -> None: ...

    def send(self, records: Iterable[Outgoing]) -> None:
        self._inner.send(records)

    def send_offsets(self, consumer: Consumer, group: str) -> None:
        self._consumer = consumer

    def commit(self) -> None:
        self._inner.flush()
        self._batches += 1
        if self._batches % 10:
            return
        places = [RawPartition(tp.topic, tp.partition, at) for tp, at in self._consumer.positions().items()]
        self._consumer._raw.commit(offsets=places, asynchronous=False)

    def abort(self) -> None: ...

    def close(self) -> None:
        self._inner.close()


class Dawdling:
    """A producer that waits before it commits, so that a good part of all faults hit an open transaction."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def commit(self) -> None:
        time.sleep(0.05)  # longer than records linger before they are sent
        self._inner.commit()


class DawdlingBroker(KafkaBroker):
    """Makes dawdling producers."""

    def producer(self, transactional_id: str | None = None) -> Any:
        return Dawdling(super().producer(transactional_id))


class PlainBroker(KafkaBroker):
    """Makes plain producers."""

    def producer(self, transactional_id: str | None = None) -> Any:
        return Plain(super().producer(None))


def main(bootstrap: str, pipeline: str, mode: str, slot: str) -> int:
    made = {"plain": PlainBroker, "dawdling": DawdlingBroker, "transactions": KafkaBroker}
    broker = made[mode](bootstrap)
    stage = Processor(
        broker=broker,
        codec=Codec(),
        pipeline=pipeline,
        wiring=Wiring("verify", ("generate",), (), ("verify",) if mode != "plain" else ()),
        slot=int(slot),
        handler=AcceptAll(),
        limits=Limits(500, 0.1),
        now=lambda: time.time_ns() // 1_000_000,
    )
    try:
        stage.start()
        print("started", flush=True)
        while True:
            stage.step()
    except BallastError as error:
        print(f"{type(error).__name__}: {error}", flush=True)
        return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
