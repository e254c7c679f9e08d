"""A log whose producers say what they have not flushed, for on the memory broker a record is there at once."""

from collections.abc import Iterable
from typing import Any

from streams.broker import Outgoing
from streams.topics import name

RESPONSE = name("p", "response")


class Lazy:
    """A broker that says how many records of `response` are not flushed, and how many were when a transaction began."""

    def __init__(self, broker: Any) -> None:
        self._broker = broker
        self.waiting = 0
        self.at_begin: list[int] = []

    def __getattr__(self, called: str) -> Any:
        return getattr(self._broker, called)

    def producer(self, transactional_id: str | None = None) -> Any:
        return _Producer(self, self._broker.producer(transactional_id))


class _Producer:
    def __init__(self, owner: Lazy, inner: Any) -> None:
        self._owner, self._inner = owner, inner

    def __getattr__(self, called: str) -> Any:
        return getattr(self._inner, called)

    def begin(self) -> None:
        self._owner.at_begin.append(self._owner.waiting)
        self._inner.begin()

    def send(self, records: Iterable[Outgoing]) -> None:
        sent = list(records)
        self._owner.waiting += sum(each.topic == RESPONSE for each in sent)
        self._inner.send(sent)

    def flush(self) -> None:
        self._owner.waiting = 0
        self._inner.flush()
