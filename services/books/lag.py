"""How many records each stage has still to handle; exact where few are left, else counted by offsets.

A transaction's marker takes an offset too, so the difference of offsets alone never comes down to 0.
"""

from collections.abc import Mapping, Sequence

from services.groups import BROUGHT
from services.mix.waiting import Fresh, Waiting
from services.review.decide import waiting
from services.sketch.wiring import WIRING
from streams.broker import Broker, Record, TopicPartition
from streams.codec import Codec
from streams.errors import DecodeError
from streams.events import SampleMixed
from streams.fold import Apply, Fold
from streams.lag import behind
from streams.tail import last_records
from streams.topics import group, name

_FEW = 20_000


def lags(broker: Broker, codec: Codec, pipeline: str) -> dict[str, int | None]:
    """Return the lag of each stage; None for those without an input: they follow a plan, or still wait. Blocks."""
    return {
        "ingest": None,
        "generate": None,
        "verify": _of_verify(broker, pipeline),
        "review": len(waiting(broker, codec, pipeline)),
        "mix": _of_mix(broker, codec, pipeline),
        "sketch": _once_begun(broker, pipeline, "sketch", (*WIRING.inputs, "redo.sketch")),
        "monitor": _once_begun(broker, pipeline, "monitor", ("sketch",)),
    }


def _of_verify(broker: Broker, pipeline: str) -> int:
    committed = {at: position.offset for at, position in broker.committed(group(pipeline, "verify")).items()}
    return _behind(broker, [name(pipeline, "generate"), name(pipeline, "redo.verify")], committed)


def _once_begun(broker: Broker, pipeline: str, stage: str, words: Sequence[str]) -> int | None:
    """Return the lag of a stage that begins once a reference is accepted; None until it has committed."""
    committed = {at: position.offset for at, position in broker.committed(group(pipeline, stage)).items()}
    return _behind(broker, [name(pipeline, word) for word in words], committed) if committed else None


def _of_mix(broker: Broker, codec: Codec, pipeline: str) -> int:
    """Count what the mixer would draw from now, as it would itself."""
    events = [codec.decode(record.value) for record in last_records(broker, name(pipeline, "mix"))]
    mixed = [event for event in events if isinstance(event, SampleMixed)]
    last = max(mixed, key=lambda event: event.batch_index, default=None)
    undrawn = Waiting(last.cursor if last else ())
    topic = name(pipeline, "verify")
    starts = {TopicPartition(topic, number): at for number, at in undrawn.floors.items()}

    def take(records: Sequence[Record]) -> None:
        for record in records:
            try:
                header = codec.header(record.value)
            except DecodeError:
                continue
            source, family = header.source or BROUGHT, header.family or "unknown"
            undrawn.add(Fresh(source, family, record.partition, record.offset, record.timestamp, header.planned))

    if (offsets := sum(behind(broker, [topic], starts).values())) > _FEW:
        return offsets
    _read(broker, [topic], starts, take)
    return sum(undrawn.counts())


def _behind(broker: Broker, topics: Sequence[str], positions: Mapping[TopicPartition, int]) -> int:
    if (offsets := sum(behind(broker, topics, positions).values())) > _FEW:
        return offsets
    count = 0

    def take(records: Sequence[Record]) -> None:
        nonlocal count
        count += len(records)

    _read(broker, topics, positions, take)
    return count


def _read(broker: Broker, topics: Sequence[str], starts: Mapping[TopicPartition, int], take: Apply) -> None:
    fold = Fold(broker, topics, take, starts)
    try:
        fold.catch_up()
    finally:
        fold.close()
