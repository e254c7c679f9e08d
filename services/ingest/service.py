"""Ingest: reads files; writes seed, reference, holdout, generate and dead.ingest.

Ids are hashes of content and known ids are a fold over what it writes, so it may be stopped anywhere and run again:
what is there is not written twice, and what is missing is.
"""

import time
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import BinaryIO

from services.ingest.inputs import Input, find
from services.ingest.intake import Decided, Intake
from services.ingest.outputs import DEAD, STAGE
from services.ingest.rows import Item
from services.ingest.summary import Summary, Tally
from services.stage import Context, Stage
from streams.broker import Outgoing
from streams.errors import AbortableError, UnavailableError
from streams.topics import identity, word_of
from streams.writer import Writer

Progress = Callable[[int, int], None]

_RECORDS = 1_000
_BYTES = 8_000_000
_ROWS = 10_000
_BLOCK = 250  # rows that are decided together
_IDLE_SECONDS = 0.5


def _silent(_done: int, _total: int) -> None:
    """Hear of progress and say nothing."""


@dataclass(slots=True)
class _Chunk:
    """A stretch of input on its way: what to write in one transaction, and what to count once it is committed."""

    records: list[Outgoing] = field(default_factory=list)
    decided: list[Decided] = field(default_factory=list)
    size: int = 0

    def full(self) -> bool:
        return len(self.records) >= _RECORDS or self.size >= _BYTES or len(self.decided) >= _ROWS


class Ingest:
    """The stage: takes its files in one after the other, then has nothing to do."""

    def __init__(self, context: Context, files: Sequence[Input], progress: Progress) -> None:
        self._context, self._files, self._progress = context, files, progress
        self._writer = Writer(context.broker, context.codec, context.pipeline, identity(context.pipeline, STAGE, 0))
        self._intake = Intake(context.recipe)
        self._tally = Tally()
        self._total = sum(file.size for file in files)
        self._before = 0
        self._raw: BinaryIO | None = None
        self._items = self._read()
        self._chunk: _Chunk | None = None
        self.done = False

    @property
    def summary(self) -> Summary:
        """What is committed so far."""
        return self._tally.summary()

    def start(self) -> None:
        """Fence an ingest that may still run, then learn what the log holds. Blocks."""
        self._writer.start()
        self._intake.load(self._context.broker, self._context.codec, self._context.pipeline)

    def step(self) -> int:
        """Take in the next stretch of input and return its rows; waits a little when all is done."""
        if self.done:
            time.sleep(_IDLE_SECONDS)
            return 0
        chunk = self._chunk = self._chunk or self._next_chunk()
        if not self._commit(chunk):
            return 0
        self._chunk = None
        self._tally.add(chunk.decided)
        self._progress(self._reached(), self._total)
        if not chunk.full():
            self.done, self._intake = True, Intake(self._context.recipe)
        return len(chunk.decided)

    def close(self) -> None:
        """Let go of files and connections."""
        self._items.close()
        self._writer.close()

    def _read(self) -> Generator[tuple[Input, Item], None, None]:
        for file in self._files:
            try:
                with file.path.open("rb") as raw:
                    self._raw = raw
                    for item in file.read(raw, file.name):
                        yield file, item
            except OSError as error:
                raise UnavailableError(
                    f"{file.name} can't be read any further ({error}); run the ingest again"
                ) from error
            self._before += file.size

    def _next_chunk(self) -> _Chunk:
        chunk = _Chunk()
        while not chunk.full() and (block := list(islice(self._items, _BLOCK))):
            decided = self._intake.decide([(item, file.domain) for file, item in block], self._context.now())
            chunk.decided += decided
            for record in self._writer.encode([one.output for one in decided if one.output is not None]):
                chunk.records.append(record)
                chunk.size += len(record.value)
        return chunk

    def _commit(self, chunk: _Chunk) -> bool:
        """Write a chunk; False: nothing of it was written, and it may be tried again."""
        if not chunk.records:
            return True
        metrics = self._context.metrics
        try:
            self._writer.write(chunk.records)
        except AbortableError:
            metrics.count("transactions", 1, STAGE, "aborted")
            return False
        metrics.count("transactions", 1, STAGE, "committed")
        for topic, count in Counter(record.topic for record in chunk.records).items():
            word = word_of(self._context.pipeline, topic)
            metrics.count("records_produced", count, STAGE, word)
            if word == DEAD:
                metrics.count("dead_letters", count, STAGE, "input")
        return True

    def _reached(self) -> int:
        """Return how many bytes of all files are read."""
        if self._raw is None or self._raw.closed:
            return self._before
        return self._before + self._raw.tell()


def ingest(context: Context, paths: Sequence[str] = (), progress: Progress = _silent) -> Summary:
    """Take in these paths, or the recipe's seeds, once. Blocks; `progress` hears (bytes read, bytes of all files).

    Raises IngestError before anything is written if some input can't be used. May be run again at any time.
    """
    stage = Ingest(context, find(context.recipe, paths), progress)
    try:
        stage.start()
        while not stage.done:
            stage.step()
        return stage.summary
    finally:
        stage.close()


def build(context: Context) -> Stage:
    """Return the stage that takes in the recipe's seeds when it starts, and then waits to be stopped."""
    return Ingest(context, find(context.recipe), _silent)
