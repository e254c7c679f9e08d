"""The state in one process: built from stored records and the log of sketches, moved on sketch by sketch."""

from collections.abc import Iterator, Mapping
from contextlib import closing

from services.monitor import stored
from services.monitor.core import MonitorCore, Setting, State, Step, declare
from services.monitor.decisions import Decisions
from services.stage import Context
from streams.broker import TopicPartition
from streams.events import BatchSketched
from streams.topics import name

_LIMIT = 500
_WAIT = 0.05


class Keeper:
    """Holds the state; `take` says what a sketch leads to, `apply` makes it so."""

    def __init__(self, context: Context, core: MonitorCore, setting: Setting, start: Decisions) -> None:
        self._context, self._core, self._setting, self._start = context, core, setting, start
        self.state = self._declared(State(decisions=start))

    def restore(self, records: Mapping[str, bytes]) -> None:
        """Become what stored the records. Blocks while the cells that wait are read again."""
        state = stored.restored(records, self._setting, self._start)
        again = self.sketches(stored.oldest(records), state.offset + 1)
        self.state = self._declared(stored.with_waiting(state, again, self._setting.artefact))

    def _declared(self, state: State) -> State:
        return declare(state, {source.name: source.declared for source in self._context.recipe.sources})

    def take(self, state: State, event: BatchSketched, offset: int) -> Step:
        """Return what a sketch leads to; one that was taken in before to nothing."""
        return self._core.take(state, event, offset) if offset > state.offset else Step(state, frozenset(), ())

    def sketches(self, start: int, end: int) -> Iterator[tuple[int, BatchSketched]]:
        """Yield the committed sketches with offsets in [start, end), as far as they are still kept."""
        context = self._context
        topic = TopicPartition(name(context.pipeline, "sketch"), 0)
        first, last = context.broker.bounds([topic])[topic]
        start, end = max(start, first), min(end, last)
        if start >= end:
            return
        with closing(context.broker.consumer()) as consumer:
            consumer.assign({topic: start})
            while consumer.reached(topic) < end:
                for record in consumer.poll(_LIMIT, _WAIT):
                    event = context.codec.decode(record.value)
                    if record.offset < end and isinstance(event, BatchSketched):
                        yield record.offset, event
