"""Calls in flight, each in a thread of its own; what will be asked, and each answer at once, is written to `response`.

Kafka's exactly-once ends where a vendor is paid: a kill may buy again what was in flight, and the ledger says what.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from queue import Empty, SimpleQueue
from threading import Thread
from typing import NamedTuple

from services.models.provider import FilteredError, Provider, Request
from services.models.records import answered, billed, is_asked
from streams.broker import Broker, Outgoing
from streams.codec import Codec
from streams.events import ModelAnswered
from streams.topics import name


class Question(NamedTuple):
    """One call, and the record that stands before it."""

    request: Request
    record: ModelAnswered


class Finished(NamedTuple):
    """What came of a call that was begun at `began` (seconds of the clock): its answer, or what it raised."""

    question: Question
    result: ModelAnswered | Exception
    began: float


class InFlight:
    """Used by one thread; writes by an idempotent producer outside of transactions."""

    def __init__(
        self,
        broker: Broker,
        codec: Codec,
        pipeline: str,
        now: Callable[[], int],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._codec, self._now, self._clock = codec, now, clock
        self._topic = name(pipeline, "response")
        self._producer = broker.producer()
        self._done: SimpleQueue[Finished] = SimpleQueue()
        self._count = 0

    def __len__(self) -> int:
        """How many calls were begun and not handed out by `finished`."""
        return self._count

    def announce(self, questions: Iterable[Question]) -> None:
        """Write what will be asked; returns when it is stored."""
        self._write([question.record for question in questions])

    def begin(self, question: Question, provider: Provider) -> None:
        """Make a call that is announced. Does not block; the thread ends with the process."""
        self._count += 1
        Thread(target=lambda: self._done.put(self._made(question, provider)), name="ask", daemon=True).start()

    def here(self, questions: Sequence[tuple[Question, Provider]]) -> list[Finished]:
        """Make announced calls of models that compute here, and store their answers. Blocks."""
        found = [self._made(question, provider) for question, provider in questions]
        self._store(found)
        return found

    def finished(self, seconds: float | None) -> list[Finished]:
        """Return what has come, every answer stored; waits up to `seconds` for the first, None for as long as it takes.

        Blocks; at once if nothing is in flight.
        """
        found: list[Finished] = []
        try:
            while self._count > len(found):
                found.append(self._done.get(timeout=0 if found else seconds))
        except Empty:
            pass
        self._count -= len(found)
        self._store(found)
        return found

    def finish(self, seconds: float) -> None:
        """Wait up to `seconds` for all that is in flight and store the answers: bought is bought."""
        until = time.monotonic() + seconds
        while self._count and (left := until - time.monotonic()) > 0:
            self.finished(left)

    def close(self) -> None:
        """Let go; calls in flight are left to themselves."""
        self._producer.close()

    def _made(self, question: Question, provider: Provider) -> Finished:
        began = self._clock()
        try:
            answer = provider.answer(question.request)
            if not answer.choices:
                raise FilteredError("The answer has no choices; look at the prompt", answer)  # noqa: TRY301 - the same
            event = answered(question.record, answer, self._now())
            self._codec.encode(event)
        except Exception as error:  # noqa: BLE001 - whoever asked decides what it means
            return Finished(question, error, began)
        return Finished(question, event, began)

    def _store(self, found: Iterable[Finished]) -> None:
        self._write([record for each in found if (record := self._record(each)) is not None])

    def _record(self, each: Finished) -> ModelAnswered | None:
        """Return the record of what was billed; without a bill the attempt counts as the worst that it can cost."""
        if isinstance(each.result, ModelAnswered):
            return each.result
        if isinstance(each.result, FilteredError):
            found = billed(each.question.record, each.result.bill, self._now())
            return None if is_asked(found) else found
        return None

    def _write(self, records: Sequence[ModelAnswered]) -> None:
        if records:
            frames = [(record.request_key.encode(), self._codec.encode(record)) for record in records]
            self._producer.send([Outgoing(self._topic, key, frame) for key, frame in frames])
            self._producer.flush()
