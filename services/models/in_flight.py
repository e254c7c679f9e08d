"""Calls in flight, each in a thread; what will be asked, and each answer at once, is written to `response`.

Kafka's exactly-once ends where a vendor is paid: a kill may buy again what was in flight, and the ledger says what.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from queue import Empty, SimpleQueue
from threading import Thread
from typing import NamedTuple
from weakref import finalize

from services.models.provider import FilteredError, Provider, Request
from services.models.records import answered, bill_of, unbilled
from streams.broker import Broker, Outgoing
from streams.codec import Codec
from streams.errors import UnavailableError
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


_Begun = tuple[Question, Provider]


class InFlight:
    """Used by one thread; writes by an idempotent producer outside of transactions.

    The threads that call are kept until this ends: to start one is to wait for it as long as it has Python's lock.
    """

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
        self._begun: SimpleQueue[Callable[[], Finished] | None] = SimpleQueue()
        self._count = self._threads = 0
        finalize(self, self._begun.put, None)

    def __len__(self) -> int:
        """How many calls were begun and not handed out by `finished`."""
        return self._count

    def announce(self, questions: Iterable[Question]) -> None:
        """Write what will be asked; returns when it is stored, and every answer that was handed out."""
        self.tell(question.record for question in questions)
        self.store()

    def tell(self, records: Iterable[ModelAnswered]) -> None:
        """Write records; they are stored after `store`."""
        frames = [(record.request_key.encode(), self._codec.encode(record)) for record in records]
        self._producer.send([Outgoing(self._topic, key, frame) for key, frame in frames])

    def begin(self, question: Question, provider: Provider) -> None:
        """Make a call that is announced. Does not block."""
        self._count += 1
        self._begun.put(partial(self._made, question, provider))
        if self._threads < self._count:
            self._threads += 1
            Thread(target=_work, args=(self._begun, self._done), name="ask", daemon=True).start()

    def here(self, questions: Sequence[_Begun]) -> list[Finished]:
        """Make announced calls of models that compute here. Blocks; the answers may be used after `store`."""
        found = [self._made(question, provider) for question, provider in questions]
        self._keep(found)
        return found

    def finished(self, seconds: float | None) -> list[Finished]:
        """Return what has come; waits up to `seconds` for the first, None for as long as it takes.

        Blocks; at once if nothing is in flight. The answers may be used after `store`.
        """
        found: list[Finished] = []
        try:
            while self._count > len(found):
                found.append(self._done.get(timeout=0 if found else seconds))
        except Empty:
            pass
        self._count -= len(found)
        self._keep(found)
        return found

    def store(self) -> None:
        """Wait until every answer that was handed out is stored."""
        self._producer.flush()

    def finish(self, seconds: float) -> None:
        """Wait up to `seconds` for all that is in flight and store the answers: bought is bought."""
        until = time.monotonic() + seconds
        while self._count and (left := until - time.monotonic()) > 0:
            self.finished(left)
        self.store()

    def close(self) -> None:
        """Let go; calls in flight are left to themselves, and their threads end with them."""
        self._begun.put(None)
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

    def _keep(self, found: Iterable[Finished]) -> None:
        self.tell(record for each in found if (record := self._record(each)) is not None)

    def _record(self, each: Finished) -> ModelAnswered | None:
        """Return the record of what was billed; without a bill the attempt counts as the worst that it can cost.

        A vendor that refuses all calls has billed none: else each start of the stage would take more of a budget.
        """
        if isinstance(each.result, ModelAnswered):
            return each.result
        if isinstance(each.result, FilteredError):
            return bill_of(each.question.record, each.result, self._now())
        if isinstance(each.result, UnavailableError):
            return unbilled(each.question.record, self._now())
        return None


def _work(begun: "SimpleQueue[Callable[[], Finished] | None]", done: "SimpleQueue[Finished]") -> None:
    while (call := begun.get()) is not None:
        done.put(call())
        del call  # while it waits it holds nothing, so that nobody has to end it
    begun.put(None)  # for the next one
