"""Keeps calls of all sources in flight, as many as each bears; local models compute in between.

answered              -> its candidates
rate-limited          -> it waits, and is asked again as it is: nothing was billed
failed, maybe billed  -> a new attempt after a pause, by its fall-back if its source is away
refused               -> its dead letter; so is what failed too often
"""

import random
import time
from collections.abc import Callable, Mapping
from math import inf

from services.generate import candidate
from services.generate.drawn import NO_POLICY
from services.generate.lane import Lane
from services.generate.planner import Planner
from services.generate.retries import ExhaustedError, Retries
from services.generate.state import State
from services.generate.upcoming import Draft, Upcoming
from services.generate.wave import FIRST_SIZE, next_size
from services.models.answers import Refusal
from services.models.faults import TroubleError
from services.models.in_flight import Finished, InFlight, Question
from services.models.patience import ATTEMPTS
from services.models.provider import Answer, FilteredError, Provider
from services.stage import Context
from streams.deadletter import NOT_THE_RECORDS_FAULT
from streams.events import ModelAnswered

_SECONDS = 0.25
_LOCAL_SECONDS, _LOCAL_BESIDE_OTHERS = 1.0, 0.1
_GRACE_SECONDS = 8.0  # the supervisor waits ten


class Dispatcher:
    """`clock` measures pauses, in seconds; `refusals` are the calls whose dead letters are not written yet."""

    def __init__(
        self,
        context: Context,
        providers: Mapping[str, Provider],
        state: State,
        planner: Planner,
        clock: Callable[[], float],
    ) -> None:
        self.refusals: list[Refusal] = []
        self._context, self._providers, self._state, self._planner = context, providers, state, planner
        self._clock = clock
        self._in_flight = InFlight(context.broker, context.codec, context.pipeline, context.now, clock)
        paid = [source for source in context.recipe.sources if not providers[source.name].inline]
        self._lanes = {source.name: Lane(source, context.metrics) for source in paid}
        self._retries = Retries(random.random)
        self._flying: set[int] = set()  # calls in flight or rate-limited
        self._size = FIRST_SIZE
        self._aim = _LOCAL_BESIDE_OTHERS if paid else _LOCAL_SECONDS

    def start(self) -> None:
        """Set aside what a predecessor was billed for and could not set aside any more, for it is not bought again."""
        self.refusals += [Refusal(record, _left_over(record)) for record in self._state.billed.values()]

    def run(self) -> None:
        """Make calls for a quarter of a second, or as long as there are any; answers are in the state then.

        Ends at once with a refused call: until its dead letter is written nothing new is begun, so that a kill has no
        more calls asked again than may be in flight. Blocks for about a second more where local models compute. Raises
        what is not a call's own fault.
        """
        self._let_go()
        self._look_at_budgets()
        upcoming = Upcoming(self._planner.drafts(self._context.now(), self._busy(), self._retries.failures))
        self._begin(upcoming)
        self._compute(upcoming)
        until, left = time.monotonic() + _SECONDS, _SECONDS
        while self._in_flight and left > 0 and not self.refusals:
            for each in self._in_flight.finished(left):
                self._take(each)
            self._begin(upcoming)
            left = until - time.monotonic()
        self._in_flight.store()
        for lane in self._lanes.values():
            lane.show()

    def is_idle(self) -> bool:
        """Tell whether nothing is in flight."""
        return not self._in_flight

    def close(self) -> None:
        """Wait some seconds for what is in flight, store the answers, and let go."""
        self._in_flight.finish(_GRACE_SECONDS)
        self._in_flight.close()

    def _busy(self) -> set[int]:
        unwritten = {refusal.record.call_index for refusal in self.refusals}
        return self._flying | self._retries.resting(self._clock()) | unwritten

    def _let_go(self) -> None:
        """Let calls that wait for a source be planned anew if a policy has put it out, or another can step in."""
        allowed = self._planner.allowed()
        for name, lane in self._lanes.items():
            if name not in allowed or (lane.fall_back is not None and not lane.is_closed):
                self._flying -= {question.record.call_index for question in lane.waiting}
                lane.waiting.clear()

    def _look_at_budgets(self) -> None:
        now, budgets, metrics = self._context.now(), self._state.budgets, self._context.metrics
        for name, lane in self._lanes.items():
            lane.pace, lane.is_spent = budgets.pace(name, now), False
        if budgets.dollars < inf:
            metrics.set("budget_dollars", budgets.dollars, "generate")
            metrics.set("budget_remaining_dollars", budgets.left(), "generate")

    def _begin(self, upcoming: Upcoming) -> None:
        """Begin as many calls as the sources have room for, those first that had to wait."""
        if self.refusals:
            return
        now, questions = self._clock(), []
        for lane in self._lanes.values():
            while lane.waiting and lane.has_room(now):
                lane.begun()
                self._send(lane.waiting.popleft())
        while any(lane.has_room(now) for lane in self._lanes.values()):
            if (taken := upcoming.take(lambda draft: self._paid(draft, now))) is None:
                break
            if (question := self._question(*taken)) is not None:
                self._lanes[taken[1]].begun()
                questions.append(question)
        if questions:
            self._in_flight.announce(questions)
        for question in questions:
            self._send(question)

    def _compute(self, upcoming: Upcoming) -> None:
        """Let local models answer, for about as long as is aimed at."""
        questions: list[tuple[Question, Provider]] = []
        now = self._clock()
        while len(questions) < self._size and (taken := upcoming.take(lambda draft: self._local(draft, now))):
            if (question := self._question(*taken)) is not None:
                questions.append((question, self._providers[taken[1]]))
        if not questions:
            return
        self._in_flight.announce(question for question, _ in questions)
        began = time.monotonic()
        for each in self._in_flight.here(questions):
            self._take(each)
        self._size = next_size(self._size, (time.monotonic() - began) / self._aim)

    def _question(self, draft: Draft, source: str) -> Question | None:
        """Return the call as it is asked now; None where a budget can't bear it."""
        context, call, policy = self._context, self._planner.call(draft, source), self._state.policies.latest
        if source in self._lanes and not self._state.budgets.bears(source, call.worst, context.now()):
            self._lanes[source].is_spent = True
            return None
        record = candidate.asked(
            call,
            context.recipe.task,
            context.slot,
            self._state.attempt(draft.call_index),
            context.now(),
            policy_version=policy.version if policy else NO_POLICY,
            is_rare=draft.is_rare,
        )
        self._state.responded(record)
        return Question(call.request, record)

    def _send(self, question: Question) -> None:
        self._flying.add(question.record.call_index)
        self._in_flight.begin(question, self._providers[question.record.source.name])

    def _paid(self, draft: Draft, now: float) -> str | None:
        name = self._route(draft, now)
        return name if name in self._lanes and self._lanes[name].has_room(now) else None

    def _local(self, draft: Draft, now: float) -> str | None:
        name = self._route(draft, now)
        return None if name in self._lanes else name

    def _route(self, draft: Draft, now: float) -> str | None:
        """Return who is to answer: the call's source, or while that is away the first of its fall-backs that is not."""
        tried: set[str] = set()
        name = draft.source
        while (lane := self._lanes.get(name)) is not None and lane.is_away(now):
            tried.add(name)
            if lane.fall_back is None or lane.fall_back in tried or lane.fall_back not in draft.others:
                return None
            name = lane.fall_back
        return name

    def _take(self, each: Finished) -> None:
        """Take in what came of a call."""
        record, lane = each.question.record, self._lanes.get(each.question.record.source.name)
        match each.result:
            case TroubleError() as error if lane is not None:
                self._troubled(each, error, lane)
                return
            case Exception() as error if isinstance(error, NOT_THE_RECORDS_FAULT):
                raise error
            case ModelAnswered() as answer:
                self._state.responded(answer)
            case Exception() as error:
                self.refusals.append(Refusal(record, error))
        self._flying.discard(record.call_index)
        self._retries.settled(record.call_index)
        if lane is not None:
            lane.answered()

    def _troubled(self, each: Finished, error: TroubleError, lane: Lane) -> None:
        record, now = each.question.record, self._clock()
        if error.outcome == "rate_limited":
            lane.limited(error, each.began, now)
            lane.waiting.append(each.question)
            return
        lane.failed(error, each.began, now)
        self._flying.discard(record.call_index)
        if not self._retries.failed(record.call_index, now, at_least=lane.pause):
            self._retries.settled(record.call_index)
            told = f"{record.source.name} gave no answer in {ATTEMPTS} attempts, the last time because {error}"
            self.refusals.append(Refusal(record, ExhaustedError(f"{told}; replay it when the vendor is well")))


def _left_over(record: ModelAnswered) -> FilteredError:
    bill = Answer((), record.source.tokens_in, record.source.tokens_out, record.source.cost)
    return FilteredError(f"{record.source.name} broke its answer off; look at the text", bill)
