"""Makes calls so that none is paid twice unnoticed: writes what will be asked, then each answer at once, to `response`.

Kafka's exactly-once ends where a vendor is paid: a kill may buy again what was in flight, and the ledger says what.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from typing import NamedTuple

from services.models.provider import Answer, Provider, RefusedError, Request
from streams.broker import Broker, Outgoing
from streams.codec import Codec
from streams.deadletter import NOT_THE_RECORDS_FAULT
from streams.events import ModelAnswered, event_id
from streams.topics import name


class Question(NamedTuple):
    """One call that is about to be made, and the record that says so."""

    request: Request
    record: ModelAnswered


class Refusal(NamedTuple):
    """A call that will have no answer, by the record that stood before it, and why."""

    record: ModelAnswered
    error: Exception


class Asked(NamedTuple):
    """What came of a wave: answers, stored by now, and the calls that will have none."""

    answers: list[ModelAnswered]
    refusals: list[Refusal]


class Asker:
    """Asks the providers, `concurrency` calls at a time; writes by an idempotent producer outside of transactions."""

    def __init__(self, broker: Broker, codec: Codec, pipeline: str, concurrency: int, now: Callable[[], int]) -> None:
        self._codec, self._now = codec, now
        self._topic = name(pipeline, "response")
        self._producer = broker.producer()
        self._threads = ThreadPoolExecutor(concurrency, thread_name_prefix="ask")

    def ask(self, wave: Sequence[Question], providers: Mapping[str, Provider]) -> Asked:
        """Ask a wave; returns when every answer is stored.

        Raises what is not a call's own fault, such as UnavailableError, after storing the answers that did come.
        """
        self._write([self._frame(question.record) for question in wave])
        asked = Asked([], [])
        inline = [question for question in wave if providers[question.record.source.name].inline]
        self._keep([self._outcome(question, providers) for question in inline], asked)
        waiting = {
            self._threads.submit(self._outcome, question, providers)
            for question in wave
            if not providers[question.record.source.name].inline
        }
        while waiting:
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            self._keep_done(done, waiting, asked)
        return asked

    def close(self) -> None:
        """Let go; calls in flight are left to themselves."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._producer.close()

    def _keep_done(
        self,
        done: set[Future[ModelAnswered | Refusal]],
        waiting: set[Future[ModelAnswered | Refusal]],
        asked: Asked,
    ) -> None:
        failures = [future for future in done if future.exception() is not None]
        self._keep([future.result() for future in done - set(failures)], asked)
        if failures:
            late = wait(waiting).done
            self._keep([future.result() for future in late if future.exception() is None], asked)
            failures[0].result()

    def _outcome(self, question: Question, providers: Mapping[str, Provider]) -> ModelAnswered | Refusal:
        record = question.record
        try:
            answer = providers[record.source.name].answer(question.request)
            if not answer.choices:
                raise RefusedError("The answer has no choices; look at the prompt")  # noqa: TRY301 - same consequence
            event = answered(record, answer, self._now())
            self._codec.encode(event)
        except NOT_THE_RECORDS_FAULT:
            raise
        except Exception as error:  # noqa: BLE001 - whatever one call raises is its refusal
            return Refusal(record, error)
        return event

    def _keep(self, outcomes: Iterable[ModelAnswered | Refusal], asked: Asked) -> None:
        answers = [outcome for outcome in outcomes if isinstance(outcome, ModelAnswered)]
        self._write([self._frame(answer) for answer in answers])
        asked.answers.extend(answers)
        asked.refusals.extend(outcome for outcome in outcomes if isinstance(outcome, Refusal))

    def _frame(self, record: ModelAnswered) -> Outgoing:
        return Outgoing(self._topic, record.request_key.encode(), self._codec.encode(record))

    def _write(self, records: Sequence[Outgoing]) -> None:
        if records:
            self._producer.send(records)
            self._producer.flush()


def answered(question: ModelAnswered, answer: Answer, now: int) -> ModelAnswered:
    """Return the record of a paid answer."""
    return replace(
        question,
        event_id=event_id(ModelAnswered, question.request_key, question.attempt, "answered"),
        occurred_at=now,
        choices=tuple(answer.choices),
        source=replace(question.source, tokens_in=answer.tokens_in, tokens_out=answer.tokens_out, cost=answer.cost),
    )
