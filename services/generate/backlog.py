"""How many accepted samples wait for the mix: what is accepted less what the last batch says was mixed so far.

Topic mix is not folded for it; only its ends are read, and only when the answer could matter.
"""

from streams.broker import Broker
from streams.codec import Codec
from streams.errors import DecodeError
from streams.events import SampleMixed
from streams.tail import last_records

_EVERY_MS = 1_000


class Backlog:
    """The number of synthetic samples mixed, as it was when it was last looked at."""

    def __init__(self, broker: Broker, codec: Codec, topic: str) -> None:
        self._broker, self._codec, self._topic = broker, codec, topic
        self._mixed = 0
        self._looked_at: int | None = None

    def unmixed(self, accepted: int, enough: int, now: int) -> int:
        """Return accepted minus mixed, or more; looks again, at most once a second, unless it is below `enough`.

        Blocks for some milliseconds when it looks.
        """
        due = self._looked_at is None or now - self._looked_at >= _EVERY_MS
        if accepted - self._mixed >= enough and due:
            self._mixed = max(self._mixed, self._look())
            self._looked_at = now
        return max(0, accepted - self._mixed)

    def _look(self) -> int:
        return max((self._total(record.value) for record in last_records(self._broker, self._topic)), default=0)

    def _total(self, frame: bytes) -> int:
        try:
            event = self._codec.decode(frame)
        except DecodeError:
            return 0
        return event.synthetic_total if isinstance(event, SampleMixed) else 0
