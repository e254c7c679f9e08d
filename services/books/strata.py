"""Where the calls of each stratum went, where a recipe has quotas: the counts by which generate keeps to them."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from typing import NamedTuple

import numpy as np

from services.generate.calls import Calls, Counts, Seen
from services.generate.candidate import PURPOSE
from services.generate.strata import Strata
from services.recipe import Quotas
from streams.broker import Broker, Record
from streams.codec import Codec
from streams.errors import DecodeError
from streams.events import DeadLetter, ModelAnswered, SampleRejected
from streams.fold import Fold
from streams.topics import name, word_of

_WORDS = ("response", "dead.generate", "generate", "dead.verify", "review", "reject", "verify")
_SEEN: Mapping[str, Seen] = {
    "generate": Seen.MADE,
    "review": Seen.REVIEW,
    "verify": Seen.ACCEPTED,
}


class Stratum(NamedTuple):
    """The calls of one stratum, each in one place, and how many accepted samples are wanted of it."""

    name: str
    counts: Counts
    target: int


def read(broker: Broker, codec: Codec, pipeline: str, quotas: Quotas | None) -> list[Stratum]:
    """Return the strata in the recipe's order, none without quotas. Reads seven topics."""
    if quotas is None:
        return []
    books = _Books(codec, pipeline, quotas)
    for word in _WORDS:
        with closing(Fold(broker, [name(pipeline, word)], books.take)) as fold:
            fold.catch_up()
    return books.told()


class _Books:
    def __init__(self, codec: Codec, pipeline: str, quotas: Quotas) -> None:
        self._codec, self._pipeline, self._quotas = codec, pipeline, quotas
        self._calls = Calls(0, 1)
        self._strata = Strata(quotas, self._calls.owns)
        self._takers: Mapping[str, Callable[[Record], None]] = {
            "response": self._response,
            "dead.generate": self._refused,
            "dead.verify": self._dead,
            "reject": self._rejected,
        }

    def take(self, records: Sequence[Record]) -> None:
        for record in records:
            word = word_of(self._pipeline, record.topic)
            try:
                if word in _SEEN:
                    self._mark(record.value, _SEEN[word])
                else:
                    self._takers[word](record)
            except DecodeError:
                continue  # whose input it is sets it aside

    def told(self) -> list[Stratum]:
        counts = self._calls.by_stratum(self._strata.numbers(), len(self._quotas.targets), np.empty(0, np.int64))
        targets = self._quotas.targets.items()
        return [Stratum(name, found, target) for (name, target), (_, found) in zip(targets, counts, strict=True)]

    def _response(self, record: Record) -> None:
        event = self._codec.decode(record.value)
        if isinstance(event, ModelAnswered) and event.purpose == PURPOSE:
            self._strata.note(event)
            self._calls.mark(event.call_index, Seen.ASKED)

    def _refused(self, record: Record) -> None:
        event = self._codec.decode(record.value)
        if isinstance(event, DeadLetter) and event.call_index is not None:
            self._calls.mark(event.call_index, Seen.REFUSED)

    def _dead(self, record: Record) -> None:
        event = self._codec.decode(record.value)
        if isinstance(event, DeadLetter) and event.value is not None:
            self._mark(event.value, Seen.LOST)

    def _rejected(self, record: Record) -> None:
        event = self._codec.decode(record.value)
        if isinstance(event, SampleRejected) and "edited" not in event.reasons:  # the edit is accepted in its place
            self._mark(record.value, Seen.LOST)

    def _mark(self, frame: bytes, seen: Seen) -> None:
        call = self._codec.header(frame).call_index
        if call is not None and call >= 0:
            self._calls.mark(call, seen)
