"""The calls of the plan that may have been bought more than once: a kill may buy again what was in flight."""

from collections.abc import Iterable
from typing import NamedTuple

from services.generate.candidate import PURPOSE
from services.models.records import is_asked
from streams.events import ModelAnswered


class Entry(NamedTuple):
    """A call that may have been bought `asked` times instead of once."""

    call_index: int
    asked: int
    request_keys: frozenset[str]


def ledger(records: Iterable[ModelAnswered]) -> list[Entry]:
    """Return the calls that were asked more than once, so may have been bought as often; pass all of `response`."""
    asked: dict[int, int] = {}
    keys: dict[int, set[str]] = {}
    for record in records:
        if record.purpose == PURPOSE and is_asked(record):
            asked[record.call_index] = asked.get(record.call_index, 0) + 1
            keys.setdefault(record.call_index, set()).add(record.request_key)
        elif record.purpose == PURPOSE and record.unbilled:
            asked[record.call_index] -= 1
    return [Entry(call, count, frozenset(keys[call])) for call, count in sorted(asked.items()) if count > 1]
