"""What was rejected, why, and of what: a rejection is never silent."""

from collections import Counter, defaultdict, deque
from collections.abc import Sequence
from contextlib import closing
from typing import NamedTuple

from services.groups import source_of
from streams.broker import Broker, Record
from streams.codec import Codec
from streams.events import SampleRejected
from streams.fold import Fold
from streams.samples import Sample
from streams.topics import name, word_of


class Reason(NamedTuple):
    """One reason; a sample that was rejected for several counts under each. The newest examples come first."""

    reason: str
    samples: int
    by_source: dict[str, int]
    by_person: int
    examples: Sequence[SampleRejected]


class Rejects(NamedTuple):
    """All rejections, the commonest reason first."""

    accepted: int
    rejected: int
    reasons: Sequence[Reason]


def read(broker: Broker, codec: Codec, pipeline: str, *, examples: int, source: str | None = None) -> Rejects:
    """Return what was rejected of one source or of all, with some examples of each reason. Reads both topics."""
    books = _Books(codec, pipeline, examples, source)
    with closing(Fold(broker, [name(pipeline, word) for word in ("verify", "reject")], books.take)) as fold:
        fold.catch_up()
    return books.told()


class _Books:
    def __init__(self, codec: Codec, pipeline: str, examples: int, source: str | None) -> None:
        self._codec, self._pipeline, self._source = codec, pipeline, source
        self._accepted = self._rejected = 0
        self._by_source: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._by_person: Counter[str] = Counter()
        self._newest: defaultdict[str, deque[SampleRejected]] = defaultdict(lambda: deque(maxlen=examples))

    def take(self, records: Sequence[Record]) -> None:
        """Take committed records in."""
        for record in records:
            word = word_of(self._pipeline, record.topic)
            if word == "verify" and self._source is None:
                self._accepted += 1
                continue
            event = self._codec.decode(record.value)
            sample: Sample | None = getattr(event, "sample", None)
            if sample is None or self._source not in (None, source_of(sample)):
                continue
            self._accepted += word == "verify"
            if isinstance(event, SampleRejected):
                self._reject(event, source_of(sample))

    def told(self) -> Rejects:
        """Return all that was taken in."""
        reasons = [
            Reason(
                reason,
                sources.total(),
                dict(sources.most_common()),
                self._by_person[reason],
                sorted(self._newest[reason], key=lambda event: -event.occurred_at),
            )
            for reason, sources in self._by_source.items()
        ]
        return Rejects(self._accepted, self._rejected, sorted(reasons, key=lambda each: (-each.samples, each.reason)))

    def _reject(self, event: SampleRejected, source: str) -> None:
        self._rejected += 1
        for reason in event.reasons:
            self._by_source[reason][source] += 1
            self._by_person[reason] += event.decided_by == "review"
            self._newest[reason].append(event)
