"""generate: reads seed, policy, mix, the fates of its candidates and its own topics; writes response, generate, dead.

Driven by a plan, not by arrivals, so it has no group: one live process per slot, fenced by its transactional id.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from itertools import islice

from services.generate import candidate
from services.generate.budgets import budgets
from services.generate.calls import Calls
from services.generate.dispatcher import Dispatcher
from services.generate.local import LocalProvider
from services.generate.planner import Planner
from services.generate.pool import SeedPool
from services.generate.sources import connected
from services.generate.state import FACTS, State
from services.generate.strata import Strata
from services.generate.wave import LARGEST_SIZE
from services.models.answers import Refusal
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


def build(
    context: Context,
    providers: Mapping[str, Provider] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Stage:
    """Return one slot; `providers`, by source, replace those of the recipe. Raises InputError for one without a key."""
    return Generator(context, connected(context) if providers is None else providers, clock)


class Generator:
    """One slot of the plan."""

    def __init__(self, context: Context, providers: Mapping[str, Provider], clock: Callable[[], float]) -> None:
        self._context, self._recipe = context, context.recipe
        self._sources = {source.name: source for source in self._recipe.sources}
        broker, codec, pipeline = context.broker, context.codec, context.pipeline
        self._writer = Writer(broker, codec, pipeline, identity(pipeline, "generate", context.slot))
        self._dead_limit = DeadLetterLimit("generate", context.dead_letter_limit)
        self._locals = {key: each for key, each in providers.items() if isinstance(each, LocalProvider)}
        self._state = self._make_state()
        self._planner = Planner(context, providers, self._state)
        self._dispatcher = Dispatcher(context, providers, self._state, self._planner, clock)
        self._folds: list[Fold] = []

    @property
    def why(self) -> str:
        """What it waits for."""
        return self._planner.why

    def start(self) -> None:
        """Fence the predecessor, then fold: what became of calls first, so that few stored answers are left over."""
        self._writer.start()
        learns_from_mix = any(self._sources[key].trained_on == "mix" for key in self._locals)
        self._open_fold((*FACTS, "mix") if learns_from_mix else FACTS, self._state.pool.starts())
        self._open_fold(("response",), {})
        self._dispatcher.start()

    def step(self) -> int:
        """Make calls and write the candidates of those that are answered; returns how many. Blocks for about a second.

        Answers that are stored and not written yet come first.
        """
        for fold in self._folds:
            fold.advance()
        if not self._state.answers:
            self._dispatcher.run()
        written = self._emit()
        if not written and self._dispatcher.is_idle():
            self._folds[0].advance(_IDLE_SECONDS)
        return written

    def close(self) -> None:
        """Let go of connections and files; calls in flight have some seconds to end, and their answers are stored."""
        self._dispatcher.close()
        self._writer.close()
        for fold in self._folds:
            fold.close()
        self._state.pool.close()

    def _make_state(self) -> State:
        context, locals_ = self._context, self._locals
        corpora = {key: each.corpus for key, each in locals_.items() if each.corpus is not None}
        calls = Calls(context.slot, self._recipe.generate.slots)
        folder = context.spools / f"generate-{context.slot}" / "seed"
        return State(
            codec=context.codec,
            pipeline=context.pipeline,
            calls=calls,
            pool=SeedPool(context.broker, context.codec, name(context.pipeline, "seed"), folder),
            own={key: corpus for key, corpus in corpora.items() if self._sources[key].trained_on == "self"},
            budgets=budgets(self._recipe),
            strata=Strata(self._recipe.generate.quotas, calls.owns),
            mixed=[corpus for key, corpus in corpora.items() if self._sources[key].trained_on == "mix"],
        )

    def _open_fold(self, words: Sequence[str], starts: Mapping[TopicPartition, int]) -> None:
        topics = [name(self._context.pipeline, word) for word in words]
        fold = Fold(self._context.broker, topics, self._state.fold, starts)
        self._folds.append(fold)
        fold.catch_up()

    def _emit(self) -> int:
        """Write the candidates of stored answers, and the dead letters of refused calls, in one transaction."""
        now, state, metrics = self._context.now(), self._state, self._context.metrics
        answers = list(islice(state.answers.values(), LARGEST_SIZE))
        dead = [self._letter(refusal) for refusal in self._dispatcher.refusals]
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
        self._dispatcher.refusals.clear()
        self._note(len(made), len(letters))
        return len(made) + len(letters)

    def _letter(self, refusal: Refusal) -> DeadLetter:
        context, record = self._context, refusal.record
        topic = name(context.pipeline, "response")
        return candidate.refused(record, context.codec.encode(record), refusal.error, topic, context.now())

    def _note(self, made: int, dead: int) -> None:
        metrics = self._context.metrics
        self._dead_limit.note(made + dead, dead)
        metrics.count("transactions", 1, "generate", "committed")
        metrics.count("records_produced", made, "generate", "generate")
        if dead:
            metrics.count("dead_letters", dead, "generate", "call")
