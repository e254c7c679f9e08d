"""The verdict on a run: what it says about the model against the first one that the same evaluator scored.

Collapse has a signature: the model gets worse on real text while synthetic text stays easy for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from services.evaluate.compare import Interval, bootstrap, level, lower_bound
from services.evaluate.scores import Run, paired
from services.evaluate.sets import HOLDOUT, SAFETY, SYNTHETIC
from streams.events import EvaluationCompleted, ModelVerdict

ALPHA = 0.05  # probability that an evaluator that nothing happens to is ever called worse
_TOLERANCE = 0.015  # of the first loss; drawing other training samples, or mixing at another share, moves it by less
_LEAST_TOLERANCE = 0.05  # nats


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One set of a run against the first run that has it and the one before; positive is worse, in nats a token.

    `interval` is the bootstrap's and `low` the bound that decides; where no losses of documents can be paired there
    is no interval, and the means alone decide.
    """

    set_name: str
    loss: float
    documents: int
    since_first: float
    since_previous: float
    interval: Interval | None
    low: float
    tolerance: float
    is_first: bool  # there is no earlier run with this set

    @property
    def is_worse(self) -> bool:
        """Whether the loss has surely risen by more than the tolerance."""
        return self.low > self.tolerance


def compare(runs: Sequence[Run], place: int) -> list[Comparison]:
    """Compare the sets of run `place` with earlier runs of the same evaluator, which come in order."""
    run, before = runs[place], runs[:place]
    alpha = level(ALPHA, max(1, place)) / max(1, len(run))
    found = []
    for name, event in sorted(run.items()):
        earlier = [each[name] for each in before if name in each] or [event]
        found.append(_comparison(event, earlier[0], earlier[-1], alpha))
    return found


def verdict(found: Sequence[Comparison]) -> ModelVerdict:
    """Return collapse, regressed or steady."""
    worse = {each.set_name for each in found if each.is_worse}
    holds = any(each.set_name == SYNTHETIC and not each.is_first for each in found) and SYNTHETIC not in worse
    if holds and worse & {HOLDOUT, SAFETY}:
        return "collapse"
    return "regressed" if worse else "steady"


def _comparison(
    event: EvaluationCompleted, first: EvaluationCompleted, previous: EvaluationCompleted, alpha: float
) -> Comparison:
    differences = paired(event, first)
    since_previous = paired(event, previous)
    mean = event.loss - first.loss if differences is None else float(differences.mean())
    bounds = None
    if differences is not None and event is not first:
        bounds = bootstrap(differences, np.random.default_rng(event.cycle))
    return Comparison(
        set_name=event.set_name,
        loss=event.loss,
        documents=event.documents,
        since_first=mean,
        since_previous=event.loss - previous.loss if since_previous is None else float(since_previous.mean()),
        interval=bounds,
        low=mean if differences is None else lower_bound(differences, alpha),
        tolerance=max(_LEAST_TOLERANCE, _TOLERANCE * first.loss),
        is_first=event is first,
    )
