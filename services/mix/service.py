"""mix: reads seed, verify, policy (and its own mix and dead.mix at the start), writes mix.

Exactly one per pipeline: a second fences the first. The last batch in the log is the whole durable state.
"""

from collections import Counter
from collections.abc import Sequence

from services.groups import BROUGHT
from services.mix.manifest import Batch, Limits, manifest, places, position_after
from services.mix.mixture import REASONS, Mixture, View
from services.mix.real import Real
from services.mix.trainers import progress
from services.mix.waiting import Fresh, Waiting
from services.policy import Policies, allowed_share
from services.stage import Context, Stage
from streams.broker import Record, TopicPartition
from streams.deadletter import DeadLetterLimit, dead_letter
from streams.errors import AbortableError, DecodeError, UnavailableError
from streams.events import DeadLetter, MixPolicySet, SampleMixed
from streams.fold import Fold
from streams.metrics import Metrics
from streams.spool import Spool
from streams.tail import last_records
from streams.topics import identity, name
from streams.writer import Output, Writer

_BATCHES_A_TRANSACTION = 8
_RECORDS_A_TRANSACTION = 4_096
_IDLE_SECONDS = 0.1
_INGEST_IDLE_MS = 5_000
_TRAINERS_EVERY_MS = 1_000


def build(context: Context) -> Stage:
    """Return the mixer."""
    return Mixer(context)


class Mixer:
    """The one mixer of a pipeline."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._codec, self._broker, self._mix = context.codec, context.broker, context.recipe.mix
        self._topics = {word: name(context.pipeline, word) for word in ("seed", "verify", "policy", "mix", "dead.mix")}
        self._writer = Writer(context.broker, context.codec, context.pipeline, identity(context.pipeline, "mix", 0))
        self._policies = Policies(context.codec)
        self._dead_limit = DeadLetterLimit("mix", context.dead_letter_limit)
        self._dead: list[Output] = []
        self._known_dead: set[str] = set()
        self._newest_seed = 0
        self._busy = False
        self._trainers: tuple[int, int | None] = (0, None)

    def start(self) -> None:
        """Fence the predecessor, find the last batch, take in what waits."""
        self._writer.start()
        _announce(self._context.metrics, self._context.recipe.verify.max_generation)
        counts = self._broker.partitions()
        self._seeds = Spool(self._context.spools / "seed", self._topics["seed"], counts[self._topics["seed"]])
        self._accepted = Spool(self._context.spools / "verify", self._topics["verify"], counts[self._topics["verify"]])
        self._accepted.clear()  # only what waits is read, and that is little
        self._mix_partitions = counts[self._topics["mix"]]
        last = self._last_batch()
        waiting = Waiting(last.cursor if last else ())
        position = position_after(last) if last else None
        self._mixture = Mixture(self._mix, self._context.pipeline, self._seeds, waiting, position)
        self._mixture.closed_at = last.occurred_at if last else None
        self._fold = self._make_fold(waiting)
        self._fold.catch_up()

    def step(self) -> int:
        """Close the batches that are due; returns how many samples were mixed."""
        self._fold.advance(0.0 if self._busy else _IDLE_SECONDS)
        self._busy = False
        self._bury()
        view = self._view()
        if view.now - self._newest_seed >= _INGEST_IDLE_MS:
            self._mixture.begin(view.newest, view.now)
        most = max(1, min(_BATCHES_A_TRANSACTION, _RECORDS_A_TRANSACTION // self._mix.batch))
        batches, draft = self._mixture.draft(view, most)
        self._context.metrics.set("mix_synthetic_share_cap", view.limits.alpha)
        if not batches:
            self._context.metrics.count("mix_blocked", 1, self._mixture.blocked(view))
            return 0
        generations: Counter[str] = Counter()
        try:
            outputs = [out for batch in batches for out in self._outputs(batch, view.now, generations)]
            self._writer.write(self._writer.encode(outputs))
        except AbortableError:
            self._context.metrics.count("transactions", 1, "mix", "aborted")
            return 0
        self._busy = True
        self._mixture.settle(batches, draft, view.now)
        _report(self._context.metrics, batches, generations)
        return sum(batch.size for batch in batches)

    def close(self) -> None:
        """Let go of connections and files."""
        self._writer.close()
        if hasattr(self, "_fold"):
            self._fold.close()
            self._seeds.close()
            self._accepted.close()

    def _last_batch(self) -> SampleMixed | None:
        records = last_records(self._broker, self._topics["mix"])
        events = [self._codec.decode(record.value) for record in records]
        mixed = [event for event in events if isinstance(event, SampleMixed)]
        return max(mixed, key=lambda event: event.batch_index, default=None)

    def _make_fold(self, waiting: Waiting) -> Fold:
        topics = [self._topics[word] for word in ("dead.mix", "policy", "seed", "verify")]
        seeds = [TopicPartition(self._topics["seed"], number) for number in range(self._seeds.partitions)]
        starts = self._seeds.starts(self._broker.bounds(seeds))
        starts |= {TopicPartition(self._topics["verify"], number): at for number, at in waiting.floors.items()}
        return Fold(self._broker, topics, self._take, starts)

    def _take(self, records: Sequence[Record]) -> None:
        by_topic: dict[str, list[Record]] = {}
        for record in records:
            by_topic.setdefault(record.topic, []).append(record)
        for record in by_topic.get(self._topics["dead.mix"], ()):
            dead = self._codec.decode(record.value)
            if isinstance(dead, DeadLetter):
                self._known_dead.add(dead.event_id)
        if policies := by_topic.get(self._topics["policy"]):
            self._policies.fold(policies)
            if (latest := self._policies.latest) is not None:
                self._mixture.waiting.hold(latest.held, latest.dropped)
        if seeds := by_topic.get(self._topics["seed"]):
            if not self._seeds.append(seeds):
                raise UnavailableError("The local copy of the seeds was of another log and is deleted; start mix again")
            self._newest_seed = max(self._newest_seed, *(record.timestamp for record in seeds))
        if accepted := by_topic.get(self._topics["verify"]):
            self._take_accepted(accepted)

    def _take_accepted(self, records: Sequence[Record]) -> None:
        self._accepted.append(records)
        for record in records:
            try:
                header = self._codec.header(record.value)
            except DecodeError as error:
                self._set_aside(record, error)
                continue
            self._mixture.waiting.add(
                Fresh(
                    header.source or BROUGHT,
                    header.family or "unknown",
                    record.partition,
                    record.offset,
                    record.timestamp,
                    header.planned,
                )
            )

    def _set_aside(self, record: Record, error: DecodeError) -> None:
        output = dead_letter("mix", record, error, self._context.now())
        if isinstance(output.event, DeadLetter) and output.event.event_id not in self._known_dead:
            self._known_dead.add(output.event.event_id)
            self._dead.append(output)

    def _bury(self) -> None:
        if self._dead:
            self._dead_limit.check(self._dead)
            self._writer.write(self._writer.encode(self._dead))
            self._dead_limit.note(len(self._dead), len(self._dead))
            self._context.metrics.count("dead_letters", len(self._dead), "mix", "record")
            self._dead.clear()

    def _view(self) -> View:
        now = self._context.now()
        policy = self._policies.in_force(now)
        self._note_policy(policy, now)
        cap = self._mix.max_synthetic_share
        reached = {(part.topic, part.partition): at for part, at in self._fold.positions().items()}
        return View(
            now=now,
            limits=Limits(allowed_share(cap, policy), cap, policy.version if policy else -1),
            slowest_trainer=self._slowest_trainer(now),
            newest=tuple(reached[self._topics["seed"], number] for number in range(self._seeds.partitions)),
            read_to={n: reached[self._topics["verify"], n] for n in range(self._accepted.partitions)},
        )

    def _note_policy(self, in_force: MixPolicySet | None, now: int) -> None:
        self._context.metrics.set("policy_in_force", in_force is not None)
        if (latest := self._policies.latest) is not None:
            self._context.metrics.set("policy_age_seconds", (now - latest.occurred_at) / 1000)

    def _slowest_trainer(self, now: int) -> int | None:
        asked, slowest = self._trainers
        if now - asked >= _TRAINERS_EVERY_MS:
            trainers = progress(self._broker, self._context.pipeline)
            self._context.metrics.set("mix_trainers", len(trainers))
            slowest = min(trainers.values(), default=None)
            self._trainers = (now, slowest)
        return slowest

    def _outputs(self, batch: Batch, now: int, generations: Counter[str]) -> list[Output]:
        """Return the records of a batch, and count its synthetic samples by generation."""
        index = batch.position.batch_index
        outputs = []
        for place in places(batch):
            offset, frame = self._drawn(place.drawn)
            if isinstance(place.drawn, Fresh):
                generation = self._codec.header(frame).generation
                generations[_label(generation, self._context.recipe.verify.max_generation)] += 1
            told = manifest(batch, place, offset, now)
            mixed = self._codec.mixed(told, self._codec.sample_bytes(frame))
            outputs.append(Output("mix", str(index), mixed, index % self._mix_partitions))
        return outputs

    def _drawn(self, drawn: Real | Fresh) -> tuple[int, bytes]:
        """Return the offset and the frame of what was drawn."""
        if isinstance(drawn, Fresh):
            number = self._accepted.count(drawn.partition, drawn.offset)
            return drawn.offset, self._accepted.value(drawn.partition, number)
        return self._seeds.offset(drawn.partition, drawn.number), self._seeds.value(drawn.partition, drawn.number)


def _label(generation: int, largest: int) -> str:
    return str(generation) if generation <= largest else "more"


def _announce(metrics: Metrics, largest: int) -> None:
    """Show the counters at 0, so that the first count is seen as a rise."""
    metrics.count("mix_samples", 0, "human", "0")
    for generation in range(largest + 2):
        metrics.count("mix_samples", 0, "synthetic", _label(generation, largest))
    for reason in REASONS:
        metrics.count("mix_blocked", 0, reason)


def _report(metrics: Metrics, batches: Sequence[Batch], generations: Counter[str]) -> None:
    metrics.count("transactions", 1, "mix", "committed")
    metrics.set("mix_synthetic_share", len(batches[-1].fresh) / batches[-1].size)
    metrics.count("records_produced", sum(batch.size for batch in batches), "mix", "mix")
    metrics.count("mix_samples", sum(len(batch.reals) for batch in batches), "human", "0")
    for generation, count in generations.items():
        metrics.count("mix_samples", count, "synthetic", generation)
