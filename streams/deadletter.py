"""Dead letters: what a stage could not handle, kept with its original bytes, and the way back into the stage.

A rejected sample is not one: that is a good event about a bad sample.
"""

from collections import deque
from collections.abc import Sequence

from streams.broker import Record
from streams.errors import BrokerError, DeadLetterLimitError, DecodeError, UnavailableError, UnknownSchemaError
from streams.events import DeadLetter, event_id
from streams.writer import Output

WINDOW = 1_000
NOT_THE_RECORDS_FAULT = (BrokerError, UnavailableError, UnknownSchemaError, OSError, MemoryError)


def dead_letter(stage: str, record: Record, error: Exception, now: int) -> Output:
    """Return the dead letter of one record; the same record gives the same event_id again."""
    return Output(
        f"dead.{stage}",
        (record.key or b"").decode(errors="replace"),
        DeadLetter(
            event_id=event_id(DeadLetter, stage, record.topic, record.partition, record.offset),
            occurred_at=now,
            stage=stage,
            reason="decode" if isinstance(error, DecodeError) else "handle",
            error=type(error).__name__,
            explanation=f"{error} ({record.topic}, partition {record.partition}, offset {record.offset})",
            source_topic=record.topic,
            source_partition=record.partition,
            source_offset=record.offset,
            key=record.key,
            value=record.value,
        ),
    )


class DeadLetterLimit:
    """Stops a stage that sets too much aside: then the fault is in the stage, not in the records.

    `most` is the largest number of dead letters in the last 1,000 records.
    """

    def __init__(self, stage: str, most: int) -> None:
        self._stage = stage
        self._most = most
        self._batches: deque[tuple[int, int]] = deque()

    def check(self, dead: Sequence[Output]) -> None:
        """Raise DeadLetterLimitError if this batch would go over the limit; count it only once it is committed."""
        recent = sum(count for _, count in self._batches) + len(dead)
        if recent > self._most:
            last = dead[-1].event
            told = last.explanation if isinstance(last, DeadLetter) else ""
            raise DeadLetterLimitError(
                f"{self._stage} would set aside {recent} of its last {WINDOW} records ({self._most} are allowed); "
                f"the last one: {told}; mend the stage or its input, or raise BALLAST_DEAD_LETTER_LIMIT"
            )

    def note(self, handled: int, dead: int) -> None:
        """Count a committed batch."""
        self._batches.append((handled, dead))
        while sum(count for count, _ in self._batches) - self._batches[0][0] >= WINDOW:
            self._batches.popleft()
