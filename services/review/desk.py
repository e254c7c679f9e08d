"""What waits for a person: the topic `review` less the topic `decision`."""

from collections.abc import Sequence
from typing import NamedTuple

from streams.broker import Broker, Record
from streams.codec import Codec
from streams.errors import DecodeError
from streams.events import ReviewReason, ReviewRequested, ReviewSubmitted
from streams.fold import Fold
from streams.samples import Outcome
from streams.topics import name

_SHOWN = 120
_FINAL = ("accept", "reject", "edit", "expire")


class Waiting(NamedTuple):
    """One line of the queue; `text` is cut to its beginning."""

    sample_id: str
    reason: ReviewReason
    automatic: Outcome
    expires_at: int | None
    text: str


class Desk:
    """Folds both topics; keeps each waiting request's frame, and 16 bytes' worth of id of each that is decided."""

    def __init__(self, broker: Broker, codec: Codec, pipeline: str) -> None:
        self._codec = codec
        self._decisions = name(pipeline, "decision")
        self._open: dict[bytes, tuple[int | None, bytes]] = {}
        self._decided: set[bytes] = set()
        self._fold = Fold(broker, [name(pipeline, "review"), self._decisions], self._take)

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
        lines = [_line(self._request(frame)) for _, frame in self._open.values()]
        return sorted(lines, key=lambda line: (line.expires_at is None, line.expires_at or 0, line.sample_id))

    def request(self, sample_id: str) -> ReviewRequested | None:
        """Return what waits under an id."""
        entry = self._open.get(sample_id.encode())
        return self._request(entry[1]) if entry else None

    def is_decided(self, sample_id: str) -> bool:
        """Tell whether an id has waited and is decided."""
        return sample_id.encode() in self._decided

    def due(self, now: int, most: int) -> list[ReviewRequested]:
        """Return up to `most` requests that have expired."""
        frames = [frame for expires, frame in self._open.values() if expires is not None and expires <= now]
        return [self._request(frame) for frame in frames[:most]]

    def _take(self, records: Sequence[Record]) -> None:
        for record in records:
            key = record.key or b""
            if record.topic == self._decisions:
                self._close_request(record)
            elif key not in self._decided:
                self._open[key] = (self._request(record.value).expires_at, record.value)

    def _close_request(self, record: Record) -> None:
        event = self._codec.decode(record.value)
        if isinstance(event, ReviewSubmitted) and event.decision in _FINAL:
            key = event.sample_id.encode()
            self._decided.add(key)
            self._open.pop(key, None)

    def _request(self, frame: bytes) -> ReviewRequested:
        event = self._codec.decode(frame)
        if not isinstance(event, ReviewRequested):
            raise DecodeError(f"a {type(event).__name__} lies in the topic `review`")
        return event


def _line(request: ReviewRequested) -> Waiting:
    text = " ".join(" ".join(turn.text for turn in request.sample.turns).split())
    shown = text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
    return Waiting(request.sample.sample_id, request.reason, request.automatic, request.expires_at, shown)
