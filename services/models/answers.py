"""Asks many calls at once and waits for all of them, so that no answer is paid twice unnoticed."""

from collections import deque
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from services.models.in_flight import Finished, InFlight, Question
from services.models.provider import Provider
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


def ask(wave: Sequence[Question], providers: Mapping[str, Provider], in_flight: InFlight, concurrency: int) -> Asked:
    """Ask a wave, at most so many calls at a time; returns when every answer is stored.

    Raises what is not a call's own fault, such as UnavailableError, after storing the answers that did come.
    """
    in_flight.announce(wave)
    asked, left, failures = Asked([], []), deque(wave), list[Exception]()
    while in_flight or (left and not failures):
        while left and not failures and len(in_flight) < concurrency:
            question = left.popleft()
            in_flight.begin(question, providers[question.record.source.name])
        for each in in_flight.finished(None):
            failures += _taken(each, asked)
    in_flight.store()
    if failures:
        raise failures[0]
    return asked


def _taken(each: Finished, asked: Asked) -> list[Exception]:
    """Sort a call in, and return what is not its own fault."""
    match each.result:
        case ModelAnswered() as answer:
            asked.answers.append(answer)
        case Exception() as error if isinstance(error, NOT_THE_RECORDS_FAULT):
            return [error]
        case Exception() as error:
            asked.refusals.append(Refusal(each.question.record, error))
    return []
