"""All that verify knows, a fold over committed topics: fates, texts, what is held out, and what people decided."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from services.index.ids import IdArray, Ids, pack
from services.index.minhash import Shape
from services.index.texts import Entries, Texts
from services.verify.calibration import Calibration
from services.verify.check import Batch
from services.verify.holdout import Holdout
from services.verify.meanings import Meanings
from services.verify.prompts import asks_anew, entries
from services.verify.seeds import Seeds
from streams.broker import Record
from streams.codec import Codec
from streams.errors import DecodeError
from streams.events import ReviewRequested, ReviewSubmitted, SampleIngested, SampleVerified
from streams.samples import Sample
from streams.topics import word_of

FATES = ("verify", "reject", "review")
TEXTS = ("seed", "reference", "verify", "review")
_MEANT = ("seed", "verify")
_CHUNK = 1_000


class Known:
    """The state of one verifier.

    `prompts` are remembered only where new ones are asked for, `meanings` where texts are compared by them.
    """

    def __init__(
        self, codec: Codec, pipeline: str, shape: Shape, *, prompts: bool = False, meanings: Meanings | None = None
    ) -> None:
        self._codec, self._pipeline, self._shape = codec, pipeline, shape
        self.fates = Ids()
        self.texts = Texts(shape)
        self.prompts = Texts(shape) if prompts else None
        self.holdout = Holdout()
        self.seeds = Seeds()
        self.calibration = Calibration()
        self.meanings = meanings
        self._decisions = 0

    def fold(self, records: Sequence[Record]) -> None:
        """Take committed records in. Idempotent by id; what is known is not decoded again, but for its meaning."""
        by_word: dict[str, list[Record]] = {}
        for record in records:
            by_word.setdefault(word_of(self._pipeline, record.topic), []).append(record)
        for word, some in by_word.items():
            if word == "decision":
                self._take_decisions(some)
            if word in FATES:
                self.fates.add(_ids(some))
            for start in range(0, len(some), _CHUNK):
                if word in TEXTS:
                    self._take_texts(some[start : start + _CHUNK], is_seed=word == "seed")
                elif word == "holdout":
                    self._take_holdout(some[start : start + _CHUNK])
                if word in _MEANT and self.meanings is not None:
                    part = some[start : start + _CHUNK]
                    self.meanings.add(_ids(part), [self._sample(record) for record in part])

    def settle(self, fates: IdArray, kept: Entries, asked: Sequence[Sample] = ()) -> None:
        """Take a committed batch in, with those of its samples whose prompts are new. Idempotent by id."""
        self.fates.add(fates)
        self.texts.add(kept)
        if self.prompts is not None and asked:
            self.prompts.add(entries(asked, self._shape))

    def _take_texts(self, records: Sequence[Record], *, is_seed: bool) -> None:
        ids = _ids(records)
        if len(places := self.texts.fresh(ids)):
            batch = self._batch(records, places)
            self.texts.add(batch.entries._replace(ids=ids[places]))
            if self.prompts is not None and (asked := [one for one in batch.samples if asks_anew(one)]):
                self.prompts.add(entries(asked, self._shape))
            if is_seed:
                self.seeds.add(ids[places], batch)

    def _take_holdout(self, records: Sequence[Record]) -> None:
        ids = _ids(records)
        if len(places := self.holdout.fresh(ids)):
            self.holdout.add(ids[places], self._batch(records, places).hashes)

    def _take_decisions(self, records: Sequence[Record]) -> None:
        for record in records:  # of one partition, so that a place tells what was taken
            event = self._codec.decode(record.value)
            if isinstance(event, ReviewSubmitted) and record.offset >= self._decisions:
                self.calibration = self.calibration.plus(event)
                self._decisions = record.offset + 1

    def _batch(self, records: Sequence[Record], places: NDArray[np.int64]) -> Batch:
        return Batch([self._sample(records[place]) for place in places.tolist()], self._shape)

    def _sample(self, record: Record) -> Sample:
        where = f"{record.topic}, partition {record.partition}, offset {record.offset}"
        try:
            event = self._codec.decode(record.value)
        except DecodeError as error:
            raise DecodeError(f"What verify knows can't be built: {error} ({where})") from error
        if not isinstance(event, SampleIngested | SampleVerified | ReviewRequested):
            raise DecodeError(f"What verify knows can't be built: a {type(event).__name__} lies at {where}")
        return event.sample


def _ids(records: Sequence[Record]) -> IdArray:
    return pack([record.key or b"" for record in records])
