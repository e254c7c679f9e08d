"""What the log already holds: the keys of the topics that ingest writes, 16 bytes each."""

from collections.abc import Sequence

from streams.broker import Record

POOLS = ("seed", "reference", "holdout")
TOPICS = (*POOLS, "generate", "dead.ingest")


class Known:
    """Every id in the log, and every id taken since."""

    def __init__(self) -> None:
        self._logged: set[bytes] = set()
        self._taken: set[bytes] = set()

    def note(self, records: Sequence[Record]) -> None:
        """Take records of the log in. Idempotent."""
        self._logged.update(bytes.fromhex(record.key.decode()) for record in records if record.key)

    def take(self, identity: str) -> str | None:
        """Take an id; None: it is new, else `known` to the log or a `duplicate` of this run."""
        key = bytes.fromhex(identity)
        if key in self._taken:
            return "duplicate"
        if key in self._logged:
            return "known"
        self._taken.add(key)
        return None
