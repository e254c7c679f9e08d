"""Writes events: all outputs of one step in one transaction, with the input's offsets where there is an input.

What the broker's errors mean is decided here once: a retriable call is repeated, an abortable transaction is aborted
and reported, and everything else ends the process (librdkafka has no KIP-890, so an unknown outcome can't be mended).
"""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import stamina

from streams.broker import Broker, Consumer, Outgoing
from streams.codec import Codec
from streams.errors import AbortableError, FatalError, RetriableError
from streams.events import Event
from streams.topics import TOPICS, name

_new = tuple.__new__  # a NamedTuple's own constructor costs three times as much
_ATTEMPTS = 8
_SECONDS = 30.0


class Output(NamedTuple):
    """One event, or its frame, for the topic `word`; without a partition the key's hash decides."""

    word: str
    key: str
    event: Event | bytes
    partition: int | None = None


class Writer:
    """The transactional producer of one slot; `identity` is its transactional id."""

    def __init__(self, broker: Broker, codec: Codec, pipeline: str, identity: str) -> None:
        self._codec = codec
        self._pipeline = pipeline
        self._names = {topic.word: name(pipeline, topic.word) for topic in TOPICS}
        self._producer = broker.producer(identity)

    def start(self) -> None:
        """Fence the predecessor and resolve its open transaction. Blocks; raises FatalError."""
        _again(self._producer.init)

    def encode(self, outputs: Iterable[Output]) -> list[Outgoing]:
        """Return the records to write; raises where an event does not fit its schema."""
        names, encode = self._names, self._codec.encode
        return [
            _new(Outgoing, (names[word], key.encode(), event if isinstance(event, bytes) else encode(event), where))
            for word, key, event, where in outputs
        ]

    def write(self, records: Sequence[Outgoing], consumer: Consumer | None = None, group: str = "") -> None:
        """Commit the records, and the consumer's positions in `group`, as one.

        Raises AbortableError after the transaction is aborted: nothing was written, the batch may be redone.
        Raises FatalError when the outcome is unknown or another process took over.
        """
        self._producer.begin()
        try:
            self._producer.send(records)
            if consumer is not None:
                _again(lambda: self._producer.send_offsets(consumer, group))
            _again(self._producer.commit)
        except AbortableError:
            _again(self._abort)
            raise

    def close(self) -> None:
        """Let go of the connection."""
        self._producer.close()

    def _abort(self) -> None:
        try:
            self._producer.abort()
        except AbortableError as error:
            raise FatalError(f"A transaction could not be aborted: {error}") from error


def _again(call: Callable[[], None]) -> None:
    try:
        for attempt in stamina.retry_context(on=RetriableError, attempts=_ATTEMPTS, timeout=_SECONDS):
            with attempt:
                call()
    except RetriableError as error:
        raise FatalError(f"The broker did not carry out a call that was repeated {_ATTEMPTS} times: {error}") from error
