"""What the log already holds: the keys of the topics that ingest writes, 16 bytes each."""

from collections.abc import Sequence

from streams.broker import Broker, Record
from streams.fold import Fold
from streams.topics import name

TOPICS = ("seed", "reference", "holdout", "generate", "dead.ingest")


class Known:
    """Every id in the log, and every id taken since."""

    def __init__(self) -> None:
        self._logged: set[bytes] = set()
        self._taken: set[bytes] = set()

    def load(self, broker: Broker, pipeline: str) -> None:
        """Read what is committed now. Blocks."""
        fold = Fold(broker, [name(pipeline, word) for word in TOPICS], self._note)
        try:
            fold.catch_up()
        finally:
            fold.close()

    def take(self, identity: str) -> str | None:
        """Take an id; None: it is new, else `known` to the log or a `duplicate` of this run."""
        key = bytes.fromhex(identity)
        if key in self._taken:
            return "duplicate"
        if key in self._logged:
            return "known"
        self._taken.add(key)
        return None

    def _note(self, records: Sequence[Record]) -> None:
        self._logged.update(bytes.fromhex(record.key.decode()) for record in records if record.key)
