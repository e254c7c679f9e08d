"""Dead letters as people see them: which there are, and the way back into the stage, once for each.

The keys of `redo.<stage>` are the event_ids of the letters replayed, so the log itself tells what was.
"""

from collections.abc import Iterable, Sequence
from contextlib import closing
from typing import NamedTuple

from services.errors import InputError
from streams.broker import Broker, Outgoing, Record
from streams.codec import Codec
from streams.errors import AbortableError, UnavailableError
from streams.events import DeadLetter
from streams.fold import Fold
from streams.topics import STAGES, identity, name, word_of
from streams.writer import Writer

PLANNED = ("ingest", "mix")  # they read files and folds, not records one by one


class Letter(NamedTuple):
    """One dead letter with its place in `dead.<stage>`, and whether it was replayed."""

    event: DeadLetter
    offset: int
    replayed: bool


def read(broker: Broker, codec: Codec, pipeline: str) -> list[Letter]:
    """Return every dead letter, stage by stage, the oldest first. Blocks."""
    letters: list[tuple[int, DeadLetter]] = []
    replayed: set[bytes] = set()

    def take(records: Sequence[Record]) -> None:
        for record in records:
            if word_of(pipeline, record.topic).startswith("redo."):
                replayed.add(record.key or b"")
            elif isinstance(event := codec.decode(record.value), DeadLetter):
                letters.append((record.offset, event))

    topics = [name(pipeline, f"{kind}.{stage}") for stage in STAGES for kind in ("dead", "redo")]
    with closing(Fold(broker, topics, take)) as fold:
        fold.catch_up()
    found = [Letter(event, offset, event.event_id.encode() in replayed) for offset, event in letters]
    return sorted(found, key=lambda letter: (STAGES.index(letter.event.stage), letter.offset))


def replay(broker: Broker, codec: Codec, pipeline: str, wanted: Iterable[str]) -> int:
    """Append the original bytes of the letters with these event_ids to their stage's redo topic; returns how many.

    A letter replayed before is left out, also if another process replays at the same time. Blocks; raises InputError.
    """
    ids = set(wanted)
    with closing(Writer(broker, codec, pipeline, identity(pipeline, "replay", 0))) as writer:
        writer.start()  # fences who else replays; what that one has written is in the log we read now
        there = {letter.event.event_id: letter for letter in read(broker, codec, pipeline)}
        if absent := sorted(ids - there.keys()):
            raise InputError(f"There is no dead letter {absent[0]}; `ballast dead list` shows what there is")
        chosen = [there[each] for each in sorted(ids) if not there[each].replayed]
        records = [_again(pipeline, letter.event) for letter in chosen]
        try:
            if records:
                writer.write(records)
        except AbortableError as error:
            raise UnavailableError("Nothing was replayed: the transaction was aborted; try again") from error
    return len(records)


def can_be_replayed(letter: Letter) -> bool:
    """Tell whether a stage would read it again."""
    return letter.event.stage not in PLANNED and letter.event.value is not None


def _again(pipeline: str, event: DeadLetter) -> Outgoing:
    if event.stage in PLANNED or event.value is None:
        told = "mend the file and ingest it again" if event.stage == "ingest" else "mend what made it"
        raise InputError(f"Dead letter {event.event_id} of {event.stage} cannot be replayed; {told}")
    return Outgoing(name(pipeline, f"redo.{event.stage}"), event.event_id.encode(), event.value)
