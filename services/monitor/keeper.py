"""The state in one process: built from stored records and the log of sketches, moved on sketch by sketch."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace

from services.monitor import stored
from services.monitor.core import MonitorCore, declare
from services.monitor.decisions import Decisions, renumbered
from services.monitor.state import Setting, State, Step
from services.stage import Context
from streams.broker import Record, TopicPartition
from streams.events import BatchSketched
from streams.topics import name

_LIMIT = 500
_WAIT = 0.05


class Keeper:
    """Holds the state, and the records that it was built from; `take` says what a sketch leads to."""

    def __init__(self, context: Context, core: MonitorCore, setting: Setting, start: Decisions) -> None:
        self._context, self._core, self._setting, self._start = context, core, setting, start
        self._records: dict[str, bytes] = {}
        self._is_foreign = False
        self._renewed: frozenset[str] = frozenset()  # groups that the recipe has changed since they were stored
        self.state = self._declared(State(decisions=start))

    def fold(self, records: Sequence[Record]) -> None:
        """Take committed records of topic `state` in; the own ones change nothing."""
        for record in records:
            key = (record.key or b"").decode()
            if self._records.get(key) != record.value:
                self._records[key] = record.value
                self._is_foreign = True

    def stored(self, records: Mapping[str, bytes]) -> None:
        """Note what this process has stored."""
        self._records.update(records)
        self._renewed = frozenset()

    def records(self, state: State, changed: frozenset[str]) -> dict[str, bytes]:
        """Return what is to be stored of a state in which these groups have changed."""
        return stored.records(Step(state, changed | self._renewed, ()))

    def refresh(self) -> None:
        """Become what another has stored since the last look, if anything. Blocks as `restore` does."""
        if self._is_foreign:
            self.restore()

    def restore(self) -> None:
        """Become what is stored. Blocks while the cells that wait are read again."""
        state = stored.restored(self._records, self._setting, self._start)
        again = self.sketches(stored.oldest(self._records), state.offset + 1)
        self.state = self._declared(stored.with_waiting(state, again, self._setting.artefact))
        self._is_foreign = False

    def _declared(self, state: State) -> State:
        made = declare(state, {source.name: source.declared for source in self._context.recipe.sources})
        self._renewed = frozenset(name for name, group in made.groups.items() if group is not state.groups[name])
        return replace(made, decisions=renumbered(made.decisions, self._setting.version))

    def take(self, state: State, event: BatchSketched, offset: int) -> Step:
        """Return what a sketch leads to; one that was taken in before to nothing."""
        return self._core.take(state, event, offset) if offset > state.offset else Step(state, frozenset(), ())

    def sketches(self, start: int, end: int | None = None) -> Iterator[tuple[int, BatchSketched]]:
        """Yield the committed sketches with offsets in [start, end), or all from start on, as far as they are kept."""
        context = self._context
        topic = TopicPartition(name(context.pipeline, "sketch"), 0)
        first, last = context.broker.bounds([topic])[topic]
        start, end = max(start, first), last if end is None else min(end, last)
        if start >= end:
            return
        with closing(context.broker.consumer()) as consumer:
            consumer.assign({topic: start})
            while consumer.reached(topic) < end:
                for record in consumer.poll(_LIMIT, _WAIT):
                    event = context.codec.decode(record.value)
                    if record.offset < end and isinstance(event, BatchSketched):
                        yield record.offset, event
