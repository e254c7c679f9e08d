"""Finds every event about some samples by reading the topics once; decodes only what matches."""

from collections.abc import Collection, Sequence
from contextlib import closing

from streams.broker import Broker, Record
from streams.codec import Codec
from streams.errors import DecodeError
from streams.events import ModelAnswered, SampleMixed
from streams.fold import Fold
from streams.lineage import JUDGE, Found
from streams.topics import STAGES, name, word_of

_KEYED = ("seed", "reference", "holdout", "response", "generate", "review", "decision", "verify", "reject")
_WORDS = (*_KEYED, *(f"dead.{stage}" for stage in STAGES), "mix")


def scan(broker: Broker, codec: Codec, pipeline: str, subjects: Collection[str]) -> list[Found]:
    """Return the events whose key is one of the subjects, the batches' records that hold one, and what judges said.

    Blocks.
    """
    keys = {subject.encode() for subject in subjects}
    found: list[Found] = []

    def take(records: Sequence[Record]) -> None:
        for record in records:
            word = word_of(pipeline, record.topic)
            if word == "mix":
                if any(key in record.value for key in keys):  # the key of mix is the batch_index
                    found.extend(_mixed(codec, record, keys))
            elif record.key in keys:
                found.extend(_event(codec, record, word))
            elif word == "response" and any(key in record.value for key in keys):  # a judge names its candidate
                found.extend(_judged(codec, record, keys))

    with closing(Fold(broker, [name(pipeline, word) for word in _WORDS], take)) as fold:
        fold.catch_up()
    return found


def _mixed(codec: Codec, record: Record, keys: Collection[bytes]) -> list[Found]:
    """Return the record if one of the subjects is its own sample: it names its parents too."""
    event = codec.decode(record.value)
    if isinstance(event, SampleMixed) and event.sample.sample_id.encode() in keys:
        return [Found("mix", record.partition, record.offset, event.sample.sample_id, event)]
    return []


def _judged(codec: Codec, record: Record, keys: Collection[bytes]) -> list[Found]:
    """Return a judge's call under the candidate that it is about."""
    return [
        one._replace(subject=one.event.parent_ids[0])
        for one in _event(codec, record, "response")
        if isinstance(one.event, ModelAnswered)
        and one.event.purpose == JUDGE
        and one.event.parent_ids[0].encode() in keys
    ]


def _event(codec: Codec, record: Record, word: str) -> list[Found]:
    try:
        event = codec.decode(record.value)
    except DecodeError:
        return []  # its dead letter, with the same key, is found too
    return [Found(word, record.partition, record.offset, (record.key or b"").decode(), event)]
