"""The monitor as a Faust app: an agent of a few lines takes sketches, the state lies in topic `state`.

Faust commits offsets on its own account, and has been seen to step over records and to take them twice. So neither is
trusted: what is missing before a sketch is read from the log, and the state knows what it has taken in. Its tables are
not used: their writes can't be fenced, so a monitor that was frozen would overwrite what its successor has stored, and
their recovery waits for ever for the record where a transaction's marker is.
"""

import asyncio
import logging
from collections.abc import AsyncIterable
from typing import Any

import faust
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from services.monitor.export import export_measured
from services.monitor.keeper import Keeper
from services.monitor.state import State
from services.stage import Context
from streams.errors import FatalError
from streams.events import BatchSketched, CollapseMeasured
from streams.fold import Fold
from streams.kafka import KafkaBroker
from streams.topics import group, identity, name
from streams.writer import Output, Writer

_STEP_SECONDS = 0.2
_START_SECONDS = 60.0  # after that it hangs
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


class _App(faust.App):
    def _create_directories(self) -> None:
        """Make none: there is no table to keep, and a container's working directory may be read-only."""


class OnFaust:
    """The engine `faust`: its event loop runs while `step` does."""

    def __init__(self, context: Context, keeper: Keeper) -> None:
        if not isinstance(context.broker, KafkaBroker):
            raise FatalError("Faust needs a real Kafka; set `monitor.engine: processor` in the recipe")
        self._context, self._keeper = context, keeper
        self._loop = asyncio.new_event_loop()
        self._sketch = TP(name(context.pipeline, "sketch"), 0)
        self._fold = Fold(context.broker, [name(context.pipeline, "state")], keeper.fold)
        self._writer: Writer | None = None  # while this process is active
        self._is_assigned = False
        self._taken = self._stored_at = 0
        self._stored: State | None = None
        self._changed: frozenset[str] = frozenset()
        self._measured: list[CollapseMeasured] = []
        self._failure: Exception | None = None
        self._app = _app(context, context.broker.bootstrap, self._loop)
        self._app.on_partitions_assigned.connect(self._assigned)
        self._app.on_partitions_revoked.connect(self._revoked)
        topic = self._app.topic(self._sketch.topic, key_serializer="raw", value_serializer="raw", partitions=1)
        self._app.agent(topic)(self._take_all)

    @property
    def is_active(self) -> bool:
        """Whether this process has the sketches, or stands by."""
        return self._writer is not None

    def start(self) -> None:
        """Build the state and start the app. Blocks; raises FatalError if Faust does not start."""
        self._fold.catch_up()
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(asyncio.wait_for(self._app.start(), _START_SECONDS))
        except TimeoutError as error:
            raise FatalError(f"Faust did not start within {_START_SECONDS:.0f} s; start the monitor again") from error

    def step(self) -> int:
        """Let the app run for a moment; returns how many sketches it took. Raises what its agent met."""
        before = self._taken
        self._loop.run_until_complete(asyncio.sleep(_STEP_SECONDS))
        if self._failure is not None:
            raise self._failure
        if self._app.should_stop:
            raise FatalError(f"Faust has stopped ({self._app.crash_reason!r}); start the monitor again")
        if not self._is_assigned:
            self._fold.advance()
        elif self._writer is None:
            self._take_over()
        else:
            self._store(self._writer)
        return self._taken - before

    def close(self) -> None:
        """Leave."""
        self._loop.run_until_complete(self._app.stop())
        self._fold.close()
        self._stand_by()
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
        writer = self._writer or self._take_over()
        if offset > self._keeper.state.offset + 1:
            self._catch_up(writer, offset)
        decoded = self._context.codec.decode(value)
        if isinstance(decoded, BatchSketched):
            self._carry(writer, offset, decoded)

    def _take_over(self) -> Writer:
        """Fence who had the sketches before, become what it has stored, and take what it left."""
        self._stand_by()
        context = self._context
        # One id for all slots: only one process can store a state, and one that was frozen ends when it tries.
        writer = Writer(context.broker, context.codec, context.pipeline, f"{group(context.pipeline, 'monitor')}-active")
        writer.start()
        self._fold.catch_up()
        self._keeper.restore()
        self._stored, self._changed, self._measured = self._keeper.state, frozenset(), []
        self._catch_up(writer, None)
        self._writer = writer
        return writer

    def _catch_up(self, writer: Writer, end: int | None) -> None:
        for offset, event in self._keeper.sketches(self._keeper.state.offset + 1, end):
            self._carry(writer, offset, event)

    def _carry(self, writer: Writer, offset: int, event: BatchSketched) -> None:
        """Take one sketch."""
        step = self._keeper.take(self._keeper.state, event, offset)
        self._changed |= step.changed
        self._measured += step.measured
        self._keeper.state = step.state
        self._taken += 1
        self._store(writer)

    def _store(self, writer: Writer) -> None:
        """Write what is measured and the state as one, once a second: what came after is read from the log again."""
        state, now = self._keeper.state, self._context.now()
        if state is self._stored or now - self._stored_at < _STORED_EVERY_MS:
            return
        records = self._keeper.records(state, self._changed)
        measures = [Output("measure", each.group, each) for each in self._measured]
        writer.write(writer.encode([*measures, *(Output("state", key, value) for key, value in records.items())]))
        self._keeper.stored(records)
        export_measured(self._context.metrics, self._measured)
        self._stored, self._stored_at, self._changed, self._measured = state, now, frozenset(), []

    def _stand_by(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    async def _assigned(self, _app: Any, assigned: set[TP], **_: Any) -> None:
        self._is_assigned = self._sketch in assigned

    async def _revoked(self, *_: Any, **__: Any) -> None:
        self._is_assigned = False
        self._stand_by()


def _app(context: Context, bootstrap: str, loop: asyncio.AbstractEventLoop) -> Any:
    logging.getLogger("faust").setLevel(logging.WARNING)
    app = _App(
        group(context.pipeline, "monitor"),
        broker=f"kafka://{bootstrap}",
        loop=loop,
        broker_client_id=identity(context.pipeline, "monitor", context.slot),
        store="memory://",
        processing_guarantee="at_least_once",
        broker_session_timeout=_SESSION_SECONDS,
        broker_heartbeat_interval=_SESSION_SECONDS / 4,
        broker_commit_interval=1.0,
        topic_disable_leader=True,
        topic_allow_declare=False,
        topic_partitions=1,
        table_standby_replicas=0,
        web_enabled=False,
        autodiscover=False,
    )
    app.transport = _CommittedTransport(app.conf.broker, app, loop=loop)
    return app
