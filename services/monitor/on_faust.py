"""The monitor as a Faust app: an agent of a few lines takes sketches, a table in topic `state` keeps the state.

Faust commits offsets on its own account, and has been seen to step over records and to take them twice. So neither is
trusted: what is missing before a sketch is read from the log, and the state knows what it has taken in.
"""

import asyncio
import logging
from collections.abc import AsyncIterable
from typing import Any

import faust
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from services.monitor import stored
from services.monitor.core import Step
from services.monitor.export import export_measured
from services.monitor.keeper import Keeper
from services.stage import Context
from streams.broker import Outgoing
from streams.errors import FatalError
from streams.events import BatchSketched
from streams.kafka import KafkaBroker
from streams.topics import group, name

_STEP_SECONDS = 0.2
_START_SECONDS = 60.0  # after that its recovery hangs, which it has been seen to do for ever
_SESSION_SECONDS = 6.0
_STORED_EVERY_MS = 1_000


class _CommittedThread(driver.AIOKafkaConsumerThread):
    """Reads committed records only: Faust's own consumer reads what transactions have aborted, too."""

    def _create_worker_consumer(self, *arguments: Any, **named: Any) -> Any:
        consumer = super()._create_worker_consumer(*arguments, **named)
        consumer._isolation_level = "read_committed"  # noqa: SLF001 - no setting reaches it
        return consumer


class _CommittedConsumer(driver.Consumer):
    def _new_consumer_thread(self) -> _CommittedThread:
        return _CommittedThread(self, loop=self.loop, beacon=self.beacon)


class _CommittedTransport(driver.Transport):
    Consumer = _CommittedConsumer


class OnFaust:
    """The engine `faust`: its event loop runs while `step` does."""

    def __init__(self, context: Context, keeper: Keeper) -> None:
        if not isinstance(context.broker, KafkaBroker):
            raise FatalError("Faust needs a real Kafka; set `monitor.engine: processor` in the recipe")
        self._context, self._keeper = context, keeper
        self._loop = asyncio.new_event_loop()
        self._producer = context.broker.producer()
        self._measures = name(context.pipeline, "measure")
        self._sketch = TP(name(context.pipeline, "sketch"), 0)
        self._is_restored = False
        self._taken = self._stored_at = 0
        self._changed: set[str] = set()
        self._failure: Exception | None = None
        self._app = _app(context, context.broker.bootstrap, self._loop)
        topic = self._app.topic(self._sketch.topic, key_serializer="raw", value_serializer="raw", partitions=1)
        # As Faust makes its own changelogs, but for the name: our other engine goes on with the same state.
        changelog = self._app.topic(
            name(context.pipeline, "state"),
            key_type=bytes,
            value_type=bytes,
            key_serializer="raw",
            value_serializer="raw",
            partitions=1,
            compacting=True,
            acks=False,
            internal=True,
        )
        self._table = self._app.Table(
            "state", key_type=bytes, value_type=bytes, partitions=1, changelog_topic=changelog
        )
        self._app.on_partitions_revoked.connect(self._revoked)
        self._app.agent(topic)(self._take_all)

    @property
    def is_active(self) -> bool:
        """Whether this process has the sketches, or stands by."""
        return self._is_restored or self._sketch in self._app.consumer.assignment()

    def start(self) -> None:
        """Start the app and wait until its table is recovered. Blocks; raises FatalError if it does not recover."""
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(asyncio.wait_for(self._app.start(), _START_SECONDS))
        except TimeoutError as error:
            raise FatalError(f"Faust did not recover its state in {_START_SECONDS:.0f} s; start it again") from error

    def step(self) -> int:
        """Let the app run for a moment; returns how many sketches it took. Raises what its agent met."""
        before = self._taken
        self._loop.run_until_complete(asyncio.sleep(_STEP_SECONDS))
        if self._failure is not None:
            raise self._failure
        if self._app.should_stop:
            raise FatalError(f"Faust has stopped ({self._app.crash_reason!r}); start the monitor again")
        return self._taken - before

    def close(self) -> None:
        """Leave."""
        self._loop.run_until_complete(self._app.stop())
        self._producer.close()
        self._loop.close()

    async def _take_all(self, stream: Any) -> None:
        """Take sketch after sketch; never raise, for then Faust would commit what was not taken."""
        events: AsyncIterable[Any] = stream.events()
        async for event in events:
            if self._failure is None:
                try:
                    self._take(event.message.offset, event.value)
                except Exception as error:  # noqa: BLE001 - `step` raises it, and the process ends
                    self._failure = error

    def _take(self, offset: int, value: bytes) -> None:
        if not self._is_restored:
            self._keeper.restore({key.decode(): bytes(kept) for key, kept in self._table.items()})
            self._is_restored = True
            self._changed.clear()
        if offset > self._keeper.state.offset + 1:
            for missed, event in self._keeper.sketches(self._keeper.state.offset + 1, offset):
                self._carry(missed, event)
        decoded = self._context.codec.decode(value)
        if isinstance(decoded, BatchSketched):
            self._carry(offset, decoded)
        self._store()

    def _carry(self, offset: int, event: BatchSketched) -> None:
        """Take one sketch: what it says is acknowledged before the state moves on."""
        step = self._keeper.take(self._keeper.state, event, offset)
        self._changed |= step.changed
        encode = self._context.codec.encode
        self._producer.send(Outgoing(self._measures, each.group.encode(), encode(each)) for each in step.measured)
        self._producer.flush()
        self._keeper.state = step.state
        export_measured(self._context.metrics, step.measured)
        self._taken += 1

    def _store(self) -> None:
        """Put the state into the table, once a second: what came after is read from the log again."""
        if self._context.now() - self._stored_at < _STORED_EVERY_MS:
            return
        self._stored_at = self._context.now()
        for key, record in stored.records(Step(self._keeper.state, frozenset(self._changed), ())).items():
            self._table[key.encode()] = record
        self._changed.clear()

    async def _revoked(self, *_: Any, **__: Any) -> None:
        self._is_restored = False  # another may go on meanwhile; what it stores comes with the table


def _app(context: Context, bootstrap: str, loop: asyncio.AbstractEventLoop) -> Any:
    logging.getLogger("faust").setLevel(logging.WARNING)
    app = faust.App(
        group(context.pipeline, "monitor"),
        broker=f"kafka://{bootstrap}",
        loop=loop,
        store="memory://",
        processing_guarantee="at_least_once",
        broker_session_timeout=_SESSION_SECONDS,
        broker_heartbeat_interval=_SESSION_SECONDS / 4,
        broker_commit_interval=1.0,
        topic_disable_leader=True,
        topic_allow_declare=False,
        topic_partitions=1,
        table_standby_replicas=1,
        web_enabled=False,
        autodiscover=False,
    )
    app.transport = _CommittedTransport(app.conf.broker, app, loop=loop)
    return app
