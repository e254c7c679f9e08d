"""What waits for a person: the topic `review` less what the topic `decision` has settled."""

import threading
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from services.review.decisions import Decisions
from services.review.order import Order
from streams.broker import Broker, Record
from streams.codec import Codec
from streams.errors import DecodeError
from streams.events import ReviewReason, ReviewRequested, ReviewSubmitted
from streams.fold import Fold
from streams.samples import Outcome, beginning
from streams.topics import name

_SHOWN = 120


class Waiting(NamedTuple):
    """One line of the queue; `text` is cut to its beginning."""

    sample_id: str
    reason: ReviewReason
    automatic: Outcome
    expires_at: int | None
    text: str


class _Entry(NamedTuple):
    reason: ReviewReason
    expires_at: int | None
    frame: bytes


class Desk:
    """Folds both topics; keeps each waiting request's frame. One thread reads the log, others may look."""

    def __init__(self, broker: Broker, codec: Codec, pipeline: str) -> None:
        self.lock = threading.RLock()  # held where what is looked at must not change meanwhile
        self.decisions = Decisions()
        self._codec = codec
        self._topic = name(pipeline, "decision")
        self._open: dict[str, _Entry] = {}
        self._order = Order()
        self._fold = Fold(broker, [name(pipeline, "review"), self._topic], self._take)

    def __len__(self) -> int:
        return len(self._open)

    def catch_up(self) -> None:
        """Read everything that is committed now. Blocks."""
        self._fold.catch_up()

    def advance(self, wait: float) -> None:
        """Read what has arrived; if there is nothing, wait for up to `wait` seconds."""
        self._fold.advance(wait)

    def close(self) -> None:
        """Let go of the connection."""
        self._fold.close()

    def waiting(self) -> list[Waiting]:
        """Return what waits, first the one that expires first."""
        with self.lock:
            lines = [_line(self._request(entry.frame)) for entry in self._open.values()]
        return sorted(lines, key=lambda line: (line.expires_at is None, line.expires_at or 0, line.sample_id))

    def request(self, sample_id: str) -> ReviewRequested | None:
        """Return what waits under an id."""
        entry = self._open.get(sample_id)
        return self._request(entry.frame) if entry else None

    def is_open(self, sample_id: str) -> bool:
        """Tell whether an id waits."""
        return sample_id in self._open

    def in_order(self, turn: int) -> Iterator[str]:
        """Yield the ids that wait, in the order of a turn; hold the lock meanwhile."""
        return self._order.at(turn)

    def opinions(self) -> dict[str, tuple[ReviewSubmitted, ...]]:
        """Return the opinions on what still waits."""
        return {sample_id: some for sample_id, some in self.decisions.opinions.items() if sample_id in self._open}

    def due(self, now: int, most: int) -> list[ReviewRequested]:
        """Return up to `most` requests that have expired."""
        with self.lock:
            frames = [
                each.frame for each in self._open.values() if each.expires_at is not None and each.expires_at <= now
            ]
        return [self._request(frame) for frame in frames[:most]]

    def next_expiry(self) -> int | None:
        """Return when the next one expires."""
        with self.lock:
            return self._order.soonest()

    def _take(self, records: Sequence[Record]) -> None:
        with self.lock:
            for record in records:
                if record.topic == self._topic:
                    self._take_decision(record)
                else:
                    self._take_request(record)

    def _take_request(self, record: Record) -> None:
        sample_id = (record.key or b"").decode()
        if sample_id in self._open or self.decisions.is_settled(sample_id):
            return
        event = self._request(record.value)
        self._open[sample_id] = _Entry(event.reason, event.expires_at, record.value)
        self._order.add(event.reason, event.expires_at, sample_id)

    def _take_decision(self, record: Record) -> None:
        event = self._codec.decode(record.value)
        if not isinstance(event, ReviewSubmitted):
            return
        self.decisions.take(event)
        if self.decisions.is_settled(event.sample_id) and (entry := self._open.pop(event.sample_id, None)):
            self._order.drop(entry.reason, entry.expires_at, event.sample_id)

    def _request(self, frame: bytes) -> ReviewRequested:
        event = self._codec.decode(frame)
        if not isinstance(event, ReviewRequested):
            raise DecodeError(f"a {type(event).__name__} lies in the topic `review`")
        return event


def _line(request: ReviewRequested) -> Waiting:
    sample = request.sample
    return Waiting(sample.sample_id, request.reason, request.automatic, request.expires_at, beginning(sample, _SHOWN))
