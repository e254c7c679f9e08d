"""Keeps the policy in step with the decisions, and lets time pass for sources that are out."""

from dataclasses import replace

from services.monitor import decisions as deciding
from services.monitor.decisions import Decisions
from services.monitor.evaluations import Evaluations
from services.monitor.policy import next_policy
from services.monitor.state import State
from services.policy import Policies
from services.stage import Context
from streams.broker import Outgoing
from streams.events import MixPolicySet
from streams.fold import Fold
from streams.topics import name


class Steward:
    """Reads the policy, whoever sets it, and the evaluations; writes the next policy where it is due."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._policies = Policies(context.codec)
        self._evaluations = Evaluations(context.codec)
        self._topic = name(context.pipeline, "policy")
        self._producer = context.broker.producer()
        self._folds: list[Fold] = []

    def start(self) -> None:
        """Read the policy and the evaluations. Blocks."""
        broker, evaluate = self._context.broker, name(self._context.pipeline, "evaluate")
        self._folds = [
            Fold(broker, [evaluate], self._evaluations.fold),
            Fold(broker, [self._topic], self._policies.fold),
        ]
        for fold in self._folds:
            fold.catch_up()

    def look(self, wait: float = 0.0) -> MixPolicySet | None:
        """Return the newest policy; waits for up to `wait` seconds if there is nothing new."""
        self._folds[-1].advance(wait)
        return self._policies.latest

    def tend(self, state: State) -> State:
        """Write the policy that the decisions call for, if it is due, and return the state with what time decides.

        Blocks until it is acknowledged; may be repeated at any time.
        """
        now = self._context.now()
        decided = _given_time(state, now, self._context.recipe.monitor.probation_after_seconds)
        decided = _released(decided, self.look(), now)
        self._folds[0].advance()
        for each, loss in self._evaluations.losses.items():
            self._context.metrics.set("evaluation_loss", loss, each)
        policy = next_policy(self.look(), decided, now, self._evaluations.collapsed)
        if policy is not None:
            self._producer.send([Outgoing(self._topic, b"", self._context.codec.encode(policy))])
            self._producer.flush()
        return state if decided is state.decisions else replace(state, decisions=decided)

    def close(self) -> None:
        """Let go of connections."""
        self._producer.close()
        for fold in self._folds:
            fold.close()


def _given_time(state: State, now: int, seconds: float) -> Decisions:
    """Put on probation what has been in quarantine for long enough."""
    decided = state.decisions
    for source, each in sorted(decided.sources.items()):
        if each.phase == "quarantined" and now - each.since >= 1000 * seconds:
            tested = [g.change.tested for key, g in state.groups.items() if _is_of(key, source)]
            decided = deciding.on_probation(decided, source, now, max(tested, default=0))
    return decided


def _released(decided: Decisions, last: MixPolicySet | None, now: int) -> Decisions:
    """Take back the sources that a policy gives their whole weight: of those that are out, only a person's does."""
    for source, weight in sorted(last.weights.items() if last is not None else ()):
        if weight >= 1:
            decided = deciding.released(decided, source, now)
    return decided


def _is_of(group: str, source: str) -> bool:
    return group.startswith("generate/") and group.endswith(f"/{source}")
