"""Which calls come next: asked ones without an answer, replays, then new ones as far as the quota has room."""

from collections.abc import Callable, Collection, Iterator, Mapping

import numpy as np
import structlog

from services.generate.backlog import Backlog
from services.generate.drawn import key_of
from services.generate.draws import AsPlanned, Draw, Draws
from services.generate.local import LocalProvider
from services.generate.plan import Call, plan, seed_number, source_of, weights
from services.generate.prompts.templates import templates_of
from services.generate.quota import Room
from services.generate.rare import RareSeeds
from services.generate.state import State
from services.generate.stratified import Stratified
from services.generate.upcoming import Draft
from services.generate.wave import LARGEST_SIZE
from services.models.provider import Provider
from services.stage import Context
from streams.topics import name


class Planner:
    """The plan of one slot as its state has it; `why` says what it waits for."""

    def __init__(self, context: Context, providers: Mapping[str, Provider], state: State) -> None:
        self.why = ""
        self._context, self._providers, self._state = context, providers, state
        self._recipe = context.recipe
        self._sources = {source.name: source for source in self._recipe.sources}
        self._templates = templates_of(self._recipe)
        self._draws = _draws(context, state)
        self._ahead = LARGEST_SIZE + sum(source.concurrency for source in self._recipe.sources)
        self._backlog = Backlog(context.broker, context.codec, name(context.pipeline, "mix"))

    def drafts(self, now: int, busy: Collection[int], failures: Callable[[int], int]) -> Iterator[Draft]:
        """Yield the next calls but for those that are busy: first the ones that were asked, with few failures first."""
        grown = self._state.pool.settle(now)
        if not (size := self._state.pool.size):
            return self._wait("waiting for seeds")
        if grown:
            self._draws.grown()
        for each in self._providers.values():
            if isinstance(each, LocalProvider):
                each.refresh(self._state.pool, grown=grown)
        policy = self._state.policies.latest  # an expired one too: a source that was quarantined stays so
        weighted = weights(self._recipe.sources, policy.weights if policy else {})
        if not weighted:
            return self._wait("no source has a weight above 0")
        if spent := self._state.budgets.out(now):
            weighted = {name: weight for name, weight in weighted.items() if name not in spent}
            if not weighted:
                return self._wait(f"{min(spent.values())} spent")
        out = {each.source for each in policy.held} if policy else set()
        others = {name: weight for name, weight in weighted.items() if name not in out}
        allowed = self.allowed()
        asked = sorted(set(self._state.unanswered()) - set(busy), key=lambda call: (failures(call), call))
        for index, draw in self._numbered(now, asked, is_again_possible=bool(others)):
            yield Draft(
                index,
                source_of(index, others or weighted if draw.is_again else weighted),
                seed_number(index, size, self._context.pipeline) if draw.number is None else draw.number,
                allowed - out if draw.is_again else allowed,
                draw.is_rare,
            )
        return None

    def call(self, draft: Draft, source: str) -> Call:
        """Return a call as this source is asked it."""
        model = self._providers[source].model()
        pool = self._state.pool
        return plan(
            draft.call_index,
            self._recipe,
            self._sources[source],
            model,
            pool.seed(draft.seed),
            pool=pool.size,
            templates=self._templates,
        )

    def allowed(self) -> frozenset[str]:
        """Return the sources that no policy has put out."""
        policy = self._state.policies.latest
        return frozenset(name for name in self._sources if policy is None or policy.weights.get(name, 1.0) > 0)

    def _numbered(self, now: int, asked: list[int], *, is_again_possible: bool) -> Iterator[tuple[int, Draw]]:
        """Yield the next calls, each with its seed."""
        repeated, fresh = self._indices(now)
        asked += repeated
        left = self._state.seeds_again() if fresh and is_again_possible else []
        moved = [self._moved(index) for index in asked]
        numbers = self._draws.find({*left, *(key for key in moved if key is not None)})
        for index, key in zip(asked, moved, strict=True):
            number = None if key is None else numbers.get(key)
            yield index, Draw(number, is_again=number is not None)
        again = [numbers[key] for key in left if key in numbers]
        yield from zip(fresh, self._draws.seeds(fresh, again), strict=False)

    def _moved(self, index: int) -> int | None:
        """Return the key of the seed that a call was asked with, unless it is the plan's."""
        pool = self._state.pool
        plain = pool.seed(seed_number(index, pool.size, self._context.pipeline))
        key = self._state.drawn.key(index)
        return None if key == key_of(plain.sample_id) else key

    def _indices(self, now: int) -> tuple[list[int], list[int]]:
        """Return the refused calls to ask again, and those to ask for the first time."""
        room = self._room(now)
        self._wait(room.why)
        replays = self._draws.replays()
        return replays, self._state.calls.fresh(min(room.calls - len(replays), self._ahead))

    def _room(self, now: int) -> Room:
        """Return what may be asked; what the policy keeps out of the mix is as good as lost, until it is released."""
        state = self._state
        kept_out = state.kept_out()
        enough = self._recipe.generate.in_flight - state.calls.all.unverified - LARGEST_SIZE
        unmixed = self._backlog.unmixed(state.accepted - len(kept_out), enough, now)
        return self._draws.room(np.unique(kept_out[kept_out >= 0]), unmixed)

    def _wait(self, why: str) -> None:
        """Say once what the slot waits for."""
        if why != self.why:
            counts = self._state.calls.all
            structlog.get_logger().info("generate", why=why, accepted=counts.accepted, outstanding=counts.live)
        self.why = why


def _draws(context: Context, state: State) -> Draws:
    recipe, quotas, rare = context.recipe, context.recipe.generate.quotas, RareSeeds(context, state.pool)
    if quotas is not None:
        return Stratified(recipe, quotas, context.slot, state, rare)
    return AsPlanned(recipe, context.slot, state, rare)
