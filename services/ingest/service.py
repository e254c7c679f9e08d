"""Ingest: reads files; writes seed, reference, holdout, generate and dead.ingest.

Ids are hashes of content and known ids are a fold over what it writes, so it may be stopped anywhere and run again:
what is there is not written twice, and what is missing is.
"""

import time
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

from services.ingest.admission import admit, terms
from services.ingest.errors import UnfitError
from services.ingest.inputs import Input, find
from services.ingest.known import Known
from services.ingest.outputs import DEAD, STAGE, of_bad_line, of_sample
from services.ingest.rows import BadLine, Item, rejected
from services.ingest.split import Shares
from services.ingest.summary import Summary, Tally
from services.stage import Context, Stage
from streams.broker import Outgoing
from streams.errors import AbortableError, UnavailableError
from streams.samples import Sample
from streams.topics import identity, word_of
from streams.writer import Output, Writer

Progress = Callable[[int, int], None]

_RECORDS = 1_000
_BYTES = 8_000_000
_ROWS = 10_000
_IDLE_SECONDS = 0.5


def _silent(_done: int, _total: int) -> None:
    """Hear of progress and say nothing."""


@dataclass(slots=True)
class _Chunk:
    """A stretch of input on its way: what to write in one transaction, and what to count once it is committed."""

    records: list[Outgoing] = field(default_factory=list)
    fates: Counter[str] = field(default_factory=Counter)
    bad: list[BadLine] = field(default_factory=list)
    size: int = 0
    rows: int = 0

    def full(self) -> bool:
        return len(self.records) >= _RECORDS or self.size >= _BYTES or self.rows >= _ROWS


class Ingest:
    """The stage: takes its files in one after the other, then has nothing to do."""

    def __init__(self, context: Context, files: Sequence[Input], progress: Progress) -> None:
        self._context, self._files, self._progress = context, files, progress
        self._terms = terms(context.recipe)
        self._shares = Shares(context.recipe.split.reference, context.recipe.split.holdout)
        self._writer = Writer(context.broker, context.codec, context.pipeline, identity(context.pipeline, STAGE, 0))
        self._known = Known()
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
        self._known.load(self._context.broker, self._context.pipeline)

    def step(self) -> int:
        """Take in the next stretch of input and return its rows; waits a little when all is done."""
        if self.done:
            time.sleep(_IDLE_SECONDS)
            return 0
        chunk = self._chunk = self._chunk or self._next_chunk()
        if not self._commit(chunk):
            return 0
        self._chunk = None
        self._tally.add(chunk.fates, chunk.bad)
        self._progress(self._reached(), self._total)
        if not chunk.full():
            self.done, self._known = True, Known()
        return chunk.rows

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
        for file, item in self._items:
            fate, output = self._decide(item, file.domain, chunk)
            chunk.fates[fate] += 1
            chunk.rows += 1
            if output is not None:
                (record,) = self._writer.encode((output,))
                chunk.records.append(record)
                chunk.size += len(record.value)
            if chunk.full():
                break
        return chunk

    def _decide(self, item: Item, domain: str | None, chunk: _Chunk) -> tuple[str, Output | None]:
        """Return what becomes of an item, and the event for it if it is news."""
        sample = self._sample(item, domain)
        now = self._context.now()
        if isinstance(sample, BadLine):
            chunk.bad.append(sample)
            letter = of_bad_line(sample, now)
            return "bad", None if self._known.take(letter.key) else letter
        if repeated := self._known.take(sample.sample_id):
            return repeated, None
        output = of_sample(sample, self._shares, now)
        return output.word, output

    def _sample(self, item: Item, domain: str | None) -> Sample | BadLine:
        if isinstance(item, BadLine):
            return item
        try:
            return admit(item, domain, self._terms)
        except UnfitError as error:
            return rejected(item, str(error))

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
