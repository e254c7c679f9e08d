"""Counts what lies where in a pipeline, by folding its topics: the one way, for the audit, the live view and the demo.

Each advance reads downstream topics first and upstream ones last, so whatever is found downstream has its origin
in what is read afterwards.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from services.books.batches import Batches
from services.books.candidates import FATE, Candidates, Fact, Place, Waiting, id_of
from services.groups import BROUGHT
from streams.broker import Broker, Record, TopicPartition
from streams.codec import Codec
from streams.errors import DecodeError
from streams.events import DeadLetter, MixPolicySet, SampleMixed, SampleRejected, SampleVerified
from streams.fold import Fold
from streams.topics import STAGES, group, name, word_of

_FATES = ("verify", "reject", "review", *(f"dead.{stage}" for stage in STAGES))
_ORIGINS = ("redo.verify", "generate", "reference", "holdout", "seed", "policy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many samples are in each place; `alpha` is the share that the newest batch was allowed.

    `edited` of the accepted were never candidates: the candidates in whose place they are count as rejected.
    """

    seed: int
    reference: int
    holdout: int
    candidates: int
    in_flight: int
    accepted: int
    edited: int
    rejected: int
    waiting_review: int
    dead: int
    waiting_mix: int
    held: int
    dropped: int
    unmixable: int
    mixed_synthetic: int
    mixed_real: int
    batches: int
    epoch: int
    largest_share: float
    alpha: float
    reasons: dict[str, int]
    dead_letters: dict[str, int]


class Tally:
    """The books of one pipeline; `advance` brings them up to date."""

    def __init__(self, broker: Broker, codec: Codec, pipeline: str) -> None:
        self._broker, self._codec, self._pipeline = broker, codec, pipeline
        self.candidates = Candidates()
        self.batches = Batches()
        self.policies: dict[int, MixPolicySet] = {}
        self.verified: dict[int, int] = {}  # verify's committed offset in each partition of `generate`
        self.redone: dict[int, int] = {}  # and in `redo.verify`
        self.unreadable: Counter[str] = Counter()
        self._pools: Counter[str] = Counter()
        self._reasons: Counter[str] = Counter()
        self._letters: Counter[str] = Counter()
        self._read: dict[tuple[str, int], int] = {}
        self._takers = self._make_takers()
        self._mix = self._fold(["mix"])
        self._fates = self._fold(_FATES)
        self._origins = self._fold(_ORIGINS)

    def advance(self) -> None:
        """Take in everything that is committed now. Blocks until it is read."""
        self._mix.catch_up()
        committed = self._broker.committed(group(self._pipeline, "verify"))
        self._fates.catch_up()
        self._origins.catch_up()
        self.verified = self._of("generate", {at: position.offset for at, position in committed.items()})
        self.redone = self._of("redo.verify", {at: position.offset for at, position in committed.items()})

    def close(self) -> None:
        """Let go of connections."""
        for fold in (self._mix, self._fates, self._origins):
            fold.close()

    def counts(self) -> Counts:
        """Return how many are where."""
        candidates, batches = self.candidates, self.batches
        latest = self.policies[max(self.policies)] if self.policies else None
        held, dropped = (latest.held, latest.dropped) if latest else ((), ())
        out = candidates.unmixed((*held, *dropped))
        never = candidates.unmixed(dropped)
        return Counts(
            seed=self._pools["seed"],
            reference=self._pools["reference"],
            holdout=self._pools["holdout"],
            candidates=candidates.count(Fact.GENERATED),
            in_flight=candidates.count(Fact.GENERATED, FATE | Fact.ASKED),
            accepted=candidates.count(Fact.ACCEPTED),
            edited=candidates.count(Fact.ACCEPTED | Fact.EDITED, Fact.GENERATED),
            rejected=candidates.count(Fact.REJECTED),
            waiting_review=candidates.count(Fact.ASKED, FATE),
            dead=candidates.count(Fact.DEAD),
            waiting_mix=len(candidates.waiting) - out,
            held=out - never,
            dropped=never,
            unmixable=candidates.count(Fact.UNMIXABLE),
            mixed_synthetic=batches.synthetic,
            mixed_real=batches.real,
            batches=batches.whole,
            epoch=max(batches.epochs, default=0),
            largest_share=batches.largest_share,
            alpha=batches.latest[1],
            reasons=dict(self._reasons.most_common()),
            dead_letters=dict(sorted(self._letters.items())),
        )

    def _fold(self, words: Sequence[str]) -> Fold:
        return Fold(self._broker, [name(self._pipeline, word) for word in words], self._take)

    def _of(self, word: str, positions: dict[TopicPartition, int]) -> dict[int, int]:
        topic = name(self._pipeline, word)
        return {at.partition: offset for at, offset in positions.items() if at.topic == topic}

    def _take(self, records: Sequence[Record]) -> None:
        for record in records:
            at = (record.topic, record.partition)
            if record.offset < self._read.get(at, 0):
                continue
            self._read[at] = record.offset + 1
            word = word_of(self._pipeline, record.topic)
            try:
                self._takers[word](record)
            except DecodeError:
                self.unreadable[word] += 1

    def _make_takers(self) -> dict[str, Callable[[Record], None]]:
        takers: dict[str, Callable[[Record], None]] = {
            "mix": self._take_mix,
            "verify": self._take_verify,
            "reject": self._take_reject,
            "review": lambda record: self.candidates.asked(_id(record)),
            "redo.verify": self._take_redo,
            "generate": lambda record: self.candidates.generated(_id(record), _place(record)),
            "policy": self._take_policy,
        }
        takers |= dict.fromkeys((f"dead.{stage}" for stage in STAGES), self._take_dead)
        return takers | dict.fromkeys(("seed", "reference", "holdout"), self._take_human)

    def _take_mix(self, record: Record) -> None:
        event = self._codec.decode(record.value)
        if isinstance(event, SampleMixed):
            self.batches.mixed(event)
            if event.synthetic:
                self.candidates.mixed(id_of(event.sample.sample_id.encode(), _place(record)))

    def _take_verify(self, record: Record) -> None:
        header = self._codec.header(record.value)
        waiting = Waiting(header.source or BROUGHT, _place(record), header.planned)
        parents: tuple[bytes, ...] = ()
        if header.origin == "HUMAN_EDITED" and isinstance(event := self._codec.decode(record.value), SampleVerified):
            parents = tuple(id_of(parent.encode(), _place(record)) for parent in event.sample.lineage.parent_ids)
        self.candidates.accepted(_id(record), waiting, parents)

    def _take_reject(self, record: Record) -> None:
        try:
            event = self._codec.decode(record.value)
        except DecodeError:
            self.candidates.rejected(_id(record))
            raise
        reasons = event.reasons if isinstance(event, SampleRejected) else ()
        self.candidates.rejected(_id(record), mended="edited" in reasons)
        self._reasons.update(reasons)

    def _take_redo(self, record: Record) -> None:
        self.candidates.replayed((record.key or b"").decode(errors="replace"), _place(record))

    def _take_dead(self, record: Record) -> None:
        word = word_of(self._pipeline, record.topic)
        self._letters[word.removeprefix("dead.")] += 1
        event = self._codec.decode(record.value)
        if not isinstance(event, DeadLetter):
            return
        source = word_of(self._pipeline, event.source_topic)
        sample = id_of(event.key, Place(event.source_partition, event.source_offset))
        if word == "dead.verify":
            if source == "redo.verify":  # its key is the letter that was replayed
                self.candidates.dead_again((event.key or b"").decode(errors="replace"), event.event_id)
            else:
                self.candidates.dead(sample, event.event_id)
        elif word == "dead.mix" and source == "verify":
            self.candidates.unmixable(sample)

    def _take_human(self, record: Record) -> None:
        word = word_of(self._pipeline, record.topic)
        self._pools[word] += 1
        self.candidates.ingested(word, _id(record))
        if word == "seed":
            self.batches.seed(record.partition, record.offset)

    def _take_policy(self, record: Record) -> None:
        event = self._codec.decode(record.value)
        if isinstance(event, MixPolicySet):
            self.policies[event.version] = event


def _place(record: Record) -> Place:
    return Place(record.partition, record.offset)


def _id(record: Record) -> bytes:
    return id_of(record.key, _place(record))
