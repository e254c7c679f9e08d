"""Decides what becomes of each row: a sample of a pool, a candidate, a bad line, or nothing new."""

from collections.abc import Sequence
from typing import NamedTuple

from services.index.texts import Match
from services.ingest import hygiene
from services.ingest.admission import admit, as_unknown, terms
from services.ingest.errors import UnfitError
from services.ingest.known import POOLS, TOPICS, Known
from services.ingest.near import Near
from services.ingest.outputs import of_bad_line, of_sample
from services.ingest.rows import BadLine, Item, rejected
from services.ingest.split import Shares
from services.recipe import Recipe
from streams.broker import Broker, Record
from streams.codec import Codec
from streams.errors import DecodeError
from streams.events import SampleIngested
from streams.fold import Fold
from streams.samples import Sample
from streams.topics import name, word_of
from streams.writer import Output


class Decided(NamedTuple):
    """What becomes of a row: what it counts as, the event if there is one, and what there is to tell of it."""

    fate: str
    output: Output | None = None
    told: str | None = None


class _Taken(NamedTuple):
    """A sample that is new, with the mark that makes it a candidate."""

    sample: Sample
    mark: str | None


class Intake:
    """What the log holds and what was decided since; decides each row once."""

    def __init__(self, recipe: Recipe) -> None:
        self._terms = terms(recipe)
        self._shares = Shares(recipe.split.reference, recipe.split.holdout)
        self._wanted = recipe.seeds.hygiene
        self._known = Known()
        self._near = Near(recipe.verify.near_duplicate) if "near_duplicate" in self._wanted else None

    def load(self, broker: Broker, codec: Codec, pipeline: str) -> None:
        """Read what is committed now. Blocks; raises DecodeError for a sample that can't be read."""

        def note(records: Sequence[Record]) -> None:
            self._known.note(records)
            if self._near is not None:
                pooled = [record for record in records if word_of(pipeline, record.topic) in POOLS]
                self._near.add([_sample(codec, record) for record in pooled])

        fold = Fold(broker, [name(pipeline, word) for word in TOPICS], note)
        try:
            fold.catch_up()
        finally:
            fold.close()

    def decide(self, rows: Sequence[tuple[Item, str | None]], now: int) -> list[Decided]:
        """Decide rows, each with the stratum that its folder names, in their order."""
        taken = [self._take(item, domain, now) for item, domain in rows]
        near = self._repeated(taken)
        return [
            one if isinstance(one, Decided) else self._placed(one, near.get(place), item, now)
            for place, (one, (item, _)) in enumerate(zip(taken, rows, strict=True))
        ]

    def _repeated(self, taken: Sequence[Decided | _Taken]) -> dict[int, Match]:
        """Return what human samples nearly repeat, by place."""
        samples = {
            place: one.sample
            for place, one in enumerate(taken)
            if isinstance(one, _Taken) and one.sample.lineage.origin == "HUMAN"
        }
        found = self._near.take(list(samples.values())) if self._near is not None else [None] * len(samples)
        return {place: match for place, match in zip(samples, found, strict=True) if match is not None}

    def _placed(self, taken: _Taken, near: Match | None, item: Item, now: int) -> Decided:
        where = f"{item.file}, line {item.line}"
        if near is not None:
            return Decided("near", None, f"{where}: {near.similarity:.0%} the same as sample {near.sample_id}")
        output = of_sample(taken.sample, self._shares, now)
        if taken.mark is None:
            return Decided(output.word, output)
        return Decided("marked", output, f"{where}: {taken.mark}")

    def _take(self, item: Item, domain: str | None, now: int) -> Decided | _Taken:
        if isinstance(item, BadLine):
            return self._bad(item, now)
        try:
            taken = self._admitted(admit(item, domain, self._terms))
        except UnfitError as error:
            return self._bad(rejected(item, str(error)), now)
        repeated = self._known.take(taken.sample.sample_id)
        return Decided(repeated) if repeated else taken

    def _admitted(self, sample: Sample) -> _Taken:
        """Hold human data to what it has to be; verify does so with all other."""
        if sample.lineage.origin != "HUMAN":
            return _Taken(sample, None)
        hygiene.check(sample, self._wanted)
        mark = hygiene.mark(sample, self._wanted)
        return _Taken(sample, None) if mark is None else _Taken(as_unknown(sample, self._terms), mark)

    def _bad(self, line: BadLine, now: int) -> Decided:
        letter = of_bad_line(line, now)
        return Decided(
            "bad", None if self._known.take(letter.key) else letter, f"{line.file}, line {line.line}: {line.reason}"
        )


def _sample(codec: Codec, record: Record) -> Sample:
    try:
        event = codec.decode(record.value)
    except DecodeError as error:
        where = f"{record.topic}, partition {record.partition}, offset {record.offset}"
        raise DecodeError(f"What is taken in already can't be read: {error} ({where})") from error
    if not isinstance(event, SampleIngested):
        raise DecodeError(f"What is taken in already can't be read: a {type(event).__name__} lies in {record.topic}")
    return event.sample
