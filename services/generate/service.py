"""generate: reads seed, policy, mix, the fates of its candidates and its own topics; writes response, generate, dead.

Driven by a plan, not by arrivals, so it has no group: one live process per slot, fenced by its transactional id.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice, repeat

import numpy as np
import structlog

from services.generate import candidate
from services.generate.backlog import Backlog
from services.generate.calls import Calls
from services.generate.drawn import NO_POLICY, key_of
from services.generate.local import LocalProvider
from services.generate.plan import Call, plan, seed_number, source_of, weights
from services.generate.pool import SeedPool
from services.generate.prompts.templates import templates_of
from services.generate.quota import Room, limits, room
from services.generate.state import FACTS, State
from services.generate.wave import FIRST_SIZE, LARGEST_SIZE, next_size, wave
from services.models.answers import Asker, Question, Refusal
from services.models.provider import Provider
from services.stage import Context, Stage
from streams.broker import TopicPartition
from streams.deadletter import DeadLetterLimit
from streams.errors import AbortableError
from streams.events import DeadLetter
from streams.fold import Fold
from streams.samples import RecipeVersion
from streams.topics import identity, name
from streams.writer import Output, Writer

_IDLE_SECONDS = 0.1


def build(context: Context, providers: Mapping[str, Provider] | None = None) -> Stage:
    """Return one slot; `providers`, by source, replace those of the recipe."""
    return Generator(context, providers or {source.name: LocalProvider(source) for source in context.recipe.sources})


class Generator:
    """One slot of the plan; `why` says what it waits for."""

    def __init__(self, context: Context, providers: Mapping[str, Provider]) -> None:
        self.why = ""
        self._context, self._providers = context, providers
        self._recipe, self._generate = context.recipe, context.recipe.generate
        self._sources = {source.name: source for source in self._recipe.sources}
        self._templates = templates_of(self._recipe)
        broker, codec, pipeline = context.broker, context.codec, context.pipeline
        self._writer = Writer(broker, codec, pipeline, identity(pipeline, "generate", context.slot))
        self._asker = Asker(broker, codec, pipeline, self._generate.concurrency, context.now)
        self._backlog = Backlog(broker, codec, name(pipeline, "mix"))
        self._dead_limit = DeadLetterLimit("generate", context.dead_letter_limit)
        self._locals = {key: each for key, each in providers.items() if isinstance(each, LocalProvider)}
        self._state = self._make_state()
        self._limits = limits(self._generate, context.slot)
        self._size = FIRST_SIZE
        self._folds: list[Fold] = []

    def start(self) -> None:
        """Fence the predecessor, then fold: what became of calls first, so that few stored answers are left over."""
        self._writer.start()
        learns_from_mix = any(self._sources[key].trained_on == "mix" for key in self._locals)
        self._open_fold((*FACTS, "mix") if learns_from_mix else FACTS, self._state.pool.starts())
        self._open_fold(("response",), {})

    def step(self) -> int:
        """Make one wave of calls and write its candidates; returns how many. Blocks for about a second, or one call."""
        for fold in self._folds:
            fold.advance()
        dead = [] if self._state.answers else self._ask()
        written = self._emit(dead)
        if not written:
            self._folds[0].advance(_IDLE_SECONDS)
        return written

    def close(self) -> None:
        """Let go of connections and files."""
        self._asker.close()
        self._writer.close()
        for fold in self._folds:
            fold.close()
        self._state.pool.close()

    def _make_state(self) -> State:
        context, locals_ = self._context, self._locals
        corpora = {key: each.corpus for key, each in locals_.items() if each.corpus is not None}
        folder = context.spools / f"generate-{context.slot}" / "seed"
        return State(
            codec=context.codec,
            pipeline=context.pipeline,
            calls=Calls(context.slot, self._generate.slots),
            pool=SeedPool(context.broker, context.codec, name(context.pipeline, "seed"), folder),
            own={key: corpus for key, corpus in corpora.items() if self._sources[key].trained_on == "self"},
            mixed=[corpus for key, corpus in corpora.items() if self._sources[key].trained_on == "mix"],
        )

    def _open_fold(self, words: Sequence[str], starts: Mapping[TopicPartition, int]) -> None:
        topics = [name(self._context.pipeline, word) for word in words]
        fold = Fold(self._context.broker, topics, self._state.fold, starts)
        self._folds.append(fold)
        fold.catch_up()

    def _ask(self) -> list[DeadLetter]:
        """Make a wave of calls; their answers are in the state then. Returns the dead letters of refused ones."""
        questions = list(self._questions())
        if not questions:
            return []
        for question in questions:
            self._state.responded(question.record)
        began = time.monotonic()
        asked = self._asker.ask(questions, self._providers)
        if all(self._is_local(question.record.source.name) for question in questions):
            self._size = next_size(self._size, time.monotonic() - began)
        for answer in asked.answers:
            self._state.responded(answer)
        return [self._letter(refusal) for refusal in asked.refusals]

    def _letter(self, refusal: Refusal) -> DeadLetter:
        context, record = self._context, refusal.record
        topic = name(context.pipeline, "response")
        return candidate.refused(record, context.codec.encode(record), refusal.error, topic, context.now())

    def _questions(self) -> Iterator[Question]:
        now, policy = self._context.now(), self._state.policies.latest
        version = policy.version if policy else NO_POLICY
        for call in wave(self._planned(now), self._size, self._generate.concurrency):
            attempt = self._state.attempt(call.request.call_index)
            record = candidate.asked(call, self._recipe.task, self._context.slot, attempt, now, policy_version=version)
            yield Question(call.request, record)

    def _planned(self, now: int) -> Iterator[tuple[Call, bool]]:
        """Yield the next calls, and whether their model is local: first those that were asked and not answered."""
        grown = self._state.pool.settle(now)
        if not (size := self._state.pool.size):
            return self._wait("waiting for seeds")
        for each in self._locals.values():
            each.refresh(self._state.pool, grown=grown)
        policy = self._state.policies.latest  # an expired one too: a source that was quarantined stays so
        weighted = weights(self._recipe.sources, policy.weights if policy else {})
        if not weighted:
            return self._wait("no source has a weight above 0")
        out = {each.source for each in policy.held} if policy else set()
        others = {name: weight for name, weight in weighted.items() if name not in out}
        for index, number in self._numbered(now, is_again_possible=bool(others)):
            source = self._sources[source_of(index, weighted if number is None else others or weighted)]
            plain = seed_number(index, size, self._context.pipeline)
            seed = self._state.pool.seed(plain if number is None else number)
            model = self._providers[source.name].model()
            call = plan(index, self._recipe, source, model, seed, pool=size, templates=self._templates)
            yield call, self._is_local(source.name)
        return None

    def _numbered(self, now: int, *, is_again_possible: bool) -> Iterator[tuple[int, int | None]]:
        """Yield the next calls, each with the number of its seed if that is another than the plan's."""
        asked, fresh = self._indices(now)
        left = self._state.seeds_again() if fresh and is_again_possible else []
        keys = [*(self._moved(index) for index in asked), *islice(chain(left, repeat(None)), len(fresh))]
        numbers = self._state.pool.find({*left, *(key for key in keys if key is not None)})
        for index, key in zip([*asked, *fresh], keys, strict=True):
            yield index, None if key is None else numbers.get(key)

    def _moved(self, index: int) -> int | None:
        """Return the key of the seed that a call was asked with, unless it is the plan's."""
        pool = self._state.pool
        plain = pool.seed(seed_number(index, pool.size, self._context.pipeline))
        key = self._state.drawn.key(index)
        return None if key == key_of(plain.sample_id) else key

    def _indices(self, now: int) -> tuple[list[int], list[int]]:
        """Return the calls to ask again, and those to ask for the first time."""
        state = self._state
        room = self._room(now)
        self._wait(room.why)
        replays = list(islice(sorted(state.replays), room.calls))
        fresh = state.calls.fresh(min(room.calls - len(replays), LARGEST_SIZE + self._generate.concurrency))
        return [*sorted(state.asked), *replays], fresh

    def _room(self, now: int) -> Room:
        """Return what may be asked; what the policy keeps out of the mix is as good as lost, until it is released."""
        state = self._state
        kept_out = state.kept_out()
        own, everyone = state.calls.without(np.unique(kept_out[kept_out >= 0]))
        enough = self._limits.in_flight - everyone.unverified - LARGEST_SIZE
        unmixed = self._backlog.unmixed(state.accepted - len(kept_out), enough, now)
        return room(own, everyone, self._limits, unmixed)

    def _is_local(self, source: str) -> bool:
        return self._providers[source].inline

    def _emit(self, dead: Sequence[DeadLetter]) -> int:
        """Write the candidates of stored answers, and dead letters, in one transaction."""
        now, state, metrics = self._context.now(), self._state, self._context.metrics
        answers = list(islice(state.answers.values(), LARGEST_SIZE))
        version = RecipeVersion(name=self._context.pipeline, version=self._recipe.version)
        made = [out for answer in answers for out in candidate.candidates(answer, self._context.pipeline, version, now)]
        letters = [Output(candidate.DEAD, letter.event_id, letter) for letter in dead]
        if not made and not letters:
            return 0
        self._dead_limit.check(letters)
        try:
            self._writer.write(self._writer.encode([*made, *letters]))
        except AbortableError:
            metrics.count("transactions", 1, "generate", "aborted")
            return 0
        for answer in answers:
            state.made(answer.call_index)
        for letter in dead:
            state.refused(letter)
        self._note(len(made), len(letters))
        return len(made) + len(letters)

    def _note(self, made: int, dead: int) -> None:
        metrics = self._context.metrics
        self._dead_limit.note(made + dead, dead)
        metrics.count("transactions", 1, "generate", "committed")
        metrics.count("records_produced", made, "generate", "generate")
        if dead:
            metrics.count("dead_letters", dead, "generate", "call")

    def _wait(self, why: str) -> None:
        """Say once what the slot waits for."""
        if why != self.why:
            counts = self._state.calls.all
            structlog.get_logger().info("generate", why=why, accepted=counts.accepted, outstanding=counts.live)
        self.why = why
