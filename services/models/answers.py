"""Asks many calls at once and waits for all of them; every attempt at one is a record of its own.

answered              -> its answer
failed, maybe billed  -> a new attempt after a pause, as long as its model's patience lasts
rate-limited          -> the same; what it was not billed for stands in the log
refused               -> no answer
not to be paid for    -> waits until bills say that it can be, or has no answer either
"""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from services.models.account import Short
from services.models.faults import TroubleError, is_free
from services.models.in_flight import Finished, InFlight, Question
from services.models.patience import Patience
from services.models.provider import FilteredError, Provider
from services.models.purse import Purse, SpentError
from services.models.records import again, begun, bill_of, unbilled
from streams.deadletter import NOT_THE_RECORDS_FAULT
from streams.errors import UnavailableError
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
    """The `number`th attempt of a wave at a call; due at a time of the clock, and `short` is why it could not begin."""

    question: Question
    number: int
    due: float
    short: Short | None = None


class _Wave:
    """The calls that have no end yet, and what came of the others; `failures` are not a call's own fault."""

    def __init__(self, questions: Sequence[Question], began: float) -> None:
        self.began = began
        self.waiting = [_Try(question, 1, began) for question in questions]
        self.unpaid: list[_Try] = []  # due, and more than is left as long as others may cost the worst
        self.flying: dict[str, _Try] = {}
        self.asked = Asked([], [])
        self.failures: list[Exception] = []

    def goes_on(self) -> bool:
        """Tell whether an answer is still to come; after a failure nothing is begun any more."""
        return bool(self.flying or ((self.waiting or self.unpaid) and not self.failures))

    def due(self, now: float) -> list[_Try]:
        """Take out what is to be begun now."""
        if self.failures:
            return []
        found = [*self.unpaid, *(each for each in self.waiting if each.due <= now)]
        self.unpaid, self.waiting = [], [each for each in self.waiting if each.due > now]
        return found

    def rest(self, now: float) -> float | None:
        """Return the seconds until something is to be begun, None if it is an answer that is waited for."""
        return None if self.failures else min((max(0.0, each.due - now) for each in self.waiting), default=None)


class Asker:
    """Asks models, found by their names as is the patience with each, for what is in the purse.

    Times are seconds of `clock`, `now` is UTC milliseconds.
    """

    def __init__(
        self,
        in_flight: InFlight,
        providers: Mapping[str, Provider],
        patience: Mapping[str, Patience],
        purse: Purse,
        now: Callable[[], int],
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._in_flight, self._providers, self._patience, self._purse = in_flight, providers, patience, purse
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
        paid = self._paid(wave)
        if paid:
            self._in_flight.announce(each.question for each in paid)
        for each in paid:
            record = each.question.record
            wave.flying[record.request_key] = each
            self._in_flight.begin(each.question, self._providers[record.source.name])

    def _paid(self, wave: _Wave) -> list[_Try]:
        """Return the attempts to begin now, which the purse has paid for."""
        clock, now, found = self._clock(), self._now(), list[_Try]()
        for each in wave.due(clock):
            record = begun(each.question.record, now)
            is_late = clock - wave.began > self._patience[record.source.name].most
            short = each.short if is_late and each.short else self._purse.short(record, now)
            if short is None:
                self._purse.note(record)
                found.append(each._replace(question=each.question._replace(record=record)))
            elif (found or wave.flying) and not is_late:
                wave.unpaid.append(each._replace(short=short))
            else:
                wave.asked.refusals.append(Refusal(record, SpentError(f"its {short} is spent")))
        return found

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
        self._settle(each)
        match each.result:
            case ModelAnswered() as answer:
                wave.asked.answers.append(answer)
            case TroubleError() as error:
                self._troubled(wave, tried, error)
            case Exception() as error if isinstance(error, NOT_THE_RECORDS_FAULT):
                wave.failures.append(error)
            case Exception() as error:
                wave.asked.refusals.append(Refusal(record, error))

    def _settle(self, each: Finished) -> None:
        """Take what an attempt cost in, where that is known by now."""
        record = each.question.record
        if is_free(each.result):
            free = unbilled(record, self._now())
            if not isinstance(each.result, UnavailableError):  # that is told by what was in flight
                self._in_flight.tell([free])
            self._purse.note(free)
        elif isinstance(each.result, ModelAnswered):
            self._purse.note(each.result)
        elif isinstance(each.result, FilteredError) and (bill := bill_of(record, each.result, self._now())):
            self._purse.note(bill)

    def _troubled(self, wave: _Wave, tried: _Try, error: TroubleError) -> None:
        now, patience = self._clock(), self._patience[tried.question.record.source.name]
        pause = patience.pause(error, tried.number, now - wave.began, self._jitter())
        if pause is None:
            wave.failures.append(patience.lost(error))
        else:
            question = tried.question._replace(record=again(tried.question.record))
            wave.waiting.append(_Try(question, tried.number + 1, now + pause))
