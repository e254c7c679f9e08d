"""Asks many calls at once and waits for all of them; every attempt at one is a record of its own.

answered              -> its answer
failed, maybe billed  -> a new attempt after a pause, as long as its model's patience lasts
rate-limited          -> the same; what it was not billed for stands in the log
refused               -> no answer
"""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from services.models.faults import TroubleError, is_free
from services.models.in_flight import Finished, InFlight, Question
from services.models.patience import Patience
from services.models.provider import Provider
from services.models.records import again, unbilled
from streams.deadletter import NOT_THE_RECORDS_FAULT
from streams.events import ModelAnswered


class Refusal(NamedTuple):
    """A call that will have no answer, by the record that stood before it, and why."""

    record: ModelAnswered
    error: Exception


class Asked(NamedTuple):
    """What came of a wave: answers, stored by now, and the calls that will have none."""

    answers: list[ModelAnswered]
    refusals: list[Refusal]


class _Try(NamedTuple):
    """The `number`th attempt of a wave at a call, which is begun at `due` (seconds of the clock)."""

    question: Question
    number: int
    due: float


class _Wave:
    """The calls that have no end yet, and what came of the others; `failures` are not a call's own fault."""

    def __init__(self, questions: Sequence[Question], began: float) -> None:
        self.began = began
        self.waiting = [_Try(question, 1, began) for question in questions]
        self.flying: dict[str, _Try] = {}
        self.asked = Asked([], [])
        self.failures: list[Exception] = []

    def goes_on(self) -> bool:
        """Tell whether an answer is still to come; after a failure nothing is begun any more."""
        return bool(self.flying or (self.waiting and not self.failures))

    def due(self, now: float) -> list[_Try]:
        """Take out what is to be begun now."""
        found = [] if self.failures else [each for each in self.waiting if each.due <= now]
        self.waiting = [each for each in self.waiting if each not in found]
        return found

    def rest(self, now: float) -> float | None:
        """Return the seconds until something is to be begun, None if it is an answer that is waited for."""
        return None if self.failures else min((max(0.0, each.due - now) for each in self.waiting), default=None)


class Asker:
    """Asks models, found by their names as is the patience with each; times are seconds of `clock`, `now` is UTC ms."""

    def __init__(
        self,
        in_flight: InFlight,
        providers: Mapping[str, Provider],
        patience: Mapping[str, Patience],
        now: Callable[[], int],
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._in_flight, self._providers, self._patience = in_flight, providers, patience
        self._now, self._clock, self._sleep, self._jitter = now, clock, sleep, jitter

    def ask(self, questions: Sequence[Question]) -> Asked:
        """Ask all of a wave at once; returns when every answer is stored.

        Blocks for as long as the patience with the slowest model. Raises what is not a call's own fault, such as
        UnavailableError, after storing the answers that did come.
        """
        wave = _Wave(questions, self._clock())
        while wave.goes_on():
            self._begin(wave)
            for each in self._come(wave):
                self._take(wave, each)
        self._in_flight.store()
        if wave.failures:
            raise wave.failures[0]
        return wave.asked

    def _begin(self, wave: _Wave) -> None:
        begun = [each._replace(question=self._question(each)) for each in wave.due(self._clock())]
        if begun:
            self._in_flight.announce(each.question for each in begun)
        for each in begun:
            record = each.question.record
            wave.flying[record.request_key] = each
            self._in_flight.begin(each.question, self._providers[record.source.name])

    def _question(self, each: _Try) -> Question:
        question = each.question
        return question if each.number == 1 else Question(question.request, again(question.record, self._now()))

    def _come(self, wave: _Wave) -> list[Finished]:
        rest = wave.rest(self._clock())
        if wave.flying:
            return self._in_flight.finished(rest)
        self._sleep(rest or 0.0)
        return []

    def _take(self, wave: _Wave, each: Finished) -> None:
        """Take in what came of an attempt."""
        record = each.question.record
        tried = wave.flying.pop(record.request_key)
        if is_free(each.result):
            self._in_flight.tell([unbilled(record, self._now())])
        match each.result:
            case ModelAnswered() as answer:
                wave.asked.answers.append(answer)
            case TroubleError() as error:
                self._troubled(wave, tried, error)
            case Exception() as error if isinstance(error, NOT_THE_RECORDS_FAULT):
                wave.failures.append(error)
            case Exception() as error:
                wave.asked.refusals.append(Refusal(record, error))

    def _troubled(self, wave: _Wave, tried: _Try, error: TroubleError) -> None:
        now, patience = self._clock(), self._patience[tried.question.record.source.name]
        pause = patience.pause(error, tried.number, now - wave.began, self._jitter())
        if pause is None:
            wave.failures.append(patience.lost(error))
        else:
            wave.waiting.append(_Try(tried.question, tried.number + 1, now + pause))
