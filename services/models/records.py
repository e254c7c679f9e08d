"""The records that follow the one that stands before an attempt at a call: what was answered, or only billed.

asked     no choices, no tokens   -> may have been billed, as long as nothing follows
answered  choices and tokens
billed    tokens alone            -> the vendor broke its answer off, so its sample is refused
unbilled  says so                 -> the vendor refused every call, or one of a judge's outright, or was too busy for it
"""

from dataclasses import replace

from services.models.cost import FREE, Cost
from services.models.provider import Answer, FilteredError, RefusedError
from streams.events import DeadLetter, ModelAnswered, event_id


def answered(asked: ModelAnswered, answer: Answer, now: int) -> ModelAnswered:
    """Return the record of a paid answer."""
    return _followed(asked, "answered", answer, now)


def billed(asked: ModelAnswered, bill: Answer, now: int) -> ModelAnswered:
    """Return the record of an answer that was paid and is none."""
    return _followed(asked, "billed", bill._replace(choices=()), now)


def bill_of(asked: ModelAnswered, error: FilteredError, now: int) -> ModelAnswered | None:
    """Return the record of what was billed for an answer that was broken off; None where nobody says."""
    found = billed(asked, error.bill, now)
    return None if is_asked(found) else found


def unbilled(asked: ModelAnswered, now: int) -> ModelAnswered:
    """Return the record of an attempt that cost nothing."""
    told = event_id(ModelAnswered, asked.request_key, asked.attempt, "unbilled")
    return replace(asked, event_id=told, occurred_at=now, unbilled=True)


def again(asked: ModelAnswered) -> ModelAnswered:
    """Return the record that stands before the next attempt."""
    attempt = asked.attempt + 1
    return replace(asked, event_id=event_id(ModelAnswered, asked.request_key, attempt, "asked"), attempt=attempt)


def begun(asked: ModelAnswered, now: int) -> ModelAnswered:
    """Return the record of an attempt that is begun now."""
    return replace(asked, occurred_at=now, asked_at=now)


def is_asked(record: ModelAnswered) -> bool:
    """Tell whether a record stands before an attempt, and tells nothing of what came of it."""
    return not (record.choices or record.source.tokens_in or record.source.tokens_out or record.unbilled)


def cost(record: ModelAnswered) -> Cost:
    """Return what an attempt costs by one of its records: the worst that it can, as long as no bill says."""
    if record.unbilled:
        return FREE
    tokens = record.source.tokens_in + record.source.tokens_out
    return Cost(tokens, record.source.cost) if tokens else Cost(record.worst_tokens, record.worst_cost)


def costs_nothing(letter: DeadLetter) -> bool:
    """Tell whether the vendor refused a call outright, so that it billed nothing."""
    return letter.error == RefusedError.__name__


def _followed(asked: ModelAnswered, word: str, answer: Answer, now: int) -> ModelAnswered:
    return replace(
        asked,
        event_id=event_id(ModelAnswered, asked.request_key, asked.attempt, word),
        occurred_at=now,
        choices=tuple(answer.choices),
        source=replace(asked.source, tokens_in=answer.tokens_in, tokens_out=answer.tokens_out, cost=answer.cost),
    )
