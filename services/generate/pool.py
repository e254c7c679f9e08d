"""The seeds that calls start from: a local spool of topic seed, frozen for the plan while ingest is at work.

A pool that grew with every record would change which seed a call has; so the plan sees it grow only in a pause.
"""

from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence
from itertools import accumulate
from pathlib import Path

from services.generate.drawn import key_of
from streams.broker import Broker, Record, TopicPartition
from streams.codec import Codec
from streams.errors import DecodeError, UnavailableError
from streams.events import SampleIngested
from streams.permutation import permuted
from streams.samples import Sample
from streams.spool import Spool

_IDLE_MS = 5_000


class SeedPool:
    """All seeds, of which the first `size` in the order of the partitions are in the plan."""

    def __init__(self, broker: Broker, codec: Codec, topic: str, folder: Path) -> None:
        self._broker, self._codec, self._topic = broker, codec, topic
        self._spool = Spool(folder, topic, broker.partitions().get(topic, 0))
        self._newest = 0
        self._ends: list[int] = []
        self._found: dict[int, int] = {}

    @property
    def size(self) -> int:
        """How many seeds the plan has."""
        return self._ends[-1] if self._ends else 0

    def starts(self) -> Mapping[TopicPartition, int]:
        """Return where a fold of the topic has to start, for all before is in the spool."""
        partitions = [TopicPartition(self._topic, number) for number in range(self._spool.partitions)]
        return self._spool.starts(self._broker.bounds(partitions))

    def fold(self, records: Sequence[Record]) -> None:
        """Take records of the topic in; one that is no seed is left out."""
        self._newest = max(self._newest, *(record.timestamp for record in records))
        if not self._spool.append([record for record in records if self._is_seed(record)]):
            raise UnavailableError(
                "The local copy of the seeds was of another log and is deleted; start the stage again"
            )

    def settle(self, now: int) -> bool:
        """Take what has come into the plan once nothing came for five seconds; tells whether the plan's pool grew."""
        ends = list(accumulate(self._spool.count(partition) for partition in range(self._spool.partitions)))
        if ends[-1] == self.size or now - self._newest < _IDLE_MS:
            return False
        self._ends = ends
        self._found = {}  # every number is another one now
        return True

    def seed(self, number: int) -> Sample:
        """Return one seed of the plan."""
        return self._event(self._frame(number)).sample

    def find(self, keys: Collection[int]) -> Mapping[int, int]:
        """Return the numbers of these seeds by key, but for those that are not in the plan.

        Reads the pool when a key is new, which blocks for some seconds with a million seeds.
        """
        if missing := set(keys) - self._found.keys():
            self._found |= dict.fromkeys(missing, -1)
            for number in range(self.size):
                key = key_of(self._codec.header(self._frame(number)).sample_id)
                if key in missing:
                    self._found[key] = number
        return {key: self._found[key] for key in keys if self._found[key] >= 0}

    def texts(self, most: int) -> list[str]:
        """Return the texts of at most so many seeds, drawn without replacement; the same pool gives the same ones."""
        return [self.seed(number).turns[0].text for number in permuted("training", self.size, 0, min(most, self.size))]

    def close(self) -> None:
        """Close the files."""
        self._spool.close()

    def _frame(self, number: int) -> bytes:
        partition = bisect_right(self._ends, number)
        return self._spool.value(partition, number - (self._ends[partition - 1] if partition else 0))

    def _is_seed(self, record: Record) -> bool:
        try:
            return bool(self._event(record.value).sample.turns)
        except DecodeError:
            return False

    def _event(self, frame: bytes) -> SampleIngested:
        event = self._codec.decode(frame)
        if not isinstance(event, SampleIngested):
            raise DecodeError(f"a {type(event).__name__} lies where a seed should be")
        return event
