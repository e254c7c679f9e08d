"""What a run has found, and the events that say so."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np

from services.evaluate.history import PROXY
from services.evaluate.proxy import Proxy
from services.evaluate.scores import MOST, packed, runs
from services.evaluate.verdict import Comparison, compare, verdict
from streams.events import EvaluationCompleted, ModelVerdict, event_id
from streams.samples import Sample

_GRAVITY: tuple[ModelVerdict, ...] = ("steady", "regressed", "collapse")


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One run: its events, and its comparisons by evaluator; `is_new` tells whether this call has written it."""

    events: Sequence[EvaluationCompleted]
    comparisons: Mapping[str, Sequence[Comparison]]
    is_new: bool = True

    @property
    def verdict(self) -> ModelVerdict:
        """The gravest verdict of its evaluators."""
        return max((verdict(found) for found in self.comparisons.values()), key=_GRAVITY.index)

    @property
    def leaks(self) -> int:
        """Samples of the mix that share too much with the holdout."""
        return int(max(event.metrics.get("leaks", 0) for event in self.events))


def judged(past: Sequence[EvaluationCompleted], run: Sequence[EvaluationCompleted], *, is_new: bool = True) -> Result:
    """Compare a run with what its evaluators reported of earlier cycles; each of its events gets the verdict."""
    found: dict[str, Sequence[Comparison]] = {}
    for evaluator in dict.fromkeys(event.evaluator for event in run):
        all_runs = runs([*past, *run], evaluator)
        ids = [next(iter(each.values())).run_id for each in all_runs]
        found[evaluator] = compare(all_runs, ids.index(run[0].run_id))
    events = [replace(event, verdict=verdict(found[event.evaluator])) for event in run]
    return Result(events=events, comparisons=found, is_new=is_new)


def score_of(
    common: EvaluationCompleted, proxy: Proxy, set_name: str, samples: Sequence[Sample]
) -> EvaluationCompleted | None:
    """Return the event of one proxy on one set; None if it can score nothing there."""
    scored = proxy.score(samples)
    losses = {
        sample.sample_id: float(loss) for sample, loss in zip(samples, scored.losses, strict=True) if not np.isnan(loss)
    }
    if not losses:
        return None
    evaluator = PROXY + proxy.name
    return with_losses(
        replace(
            common,
            event_id=event_id(EvaluationCompleted, common.run_id, evaluator, set_name),
            evaluator=evaluator,
            model_id=f"{evaluator}-{common.run_id}",
            set_name=set_name,
            metrics={**common.metrics, **scored.metrics},
        ),
        losses,
    )


def with_losses(event: EvaluationCompleted, losses: Mapping[str, float]) -> EvaluationCompleted:
    """Return the event with the losses by sample_id and their mean; more than an event can hold stay a mean."""
    ids, values = packed(losses) if len(losses) <= MOST else (None, None)
    mean = float(np.mean(list(losses.values())))
    return replace(event, loss=mean, documents=len(losses), document_ids=ids, losses=values)


def plain(result: Result) -> dict[str, object]:
    """Return the result as JSON has it."""
    first = result.events[0]
    return {
        "run": first.run_id,
        "cycle": first.cycle,
        "verdict": result.verdict,
        "new": result.is_new,
        "leaks": result.leaks,
        "evaluators": {
            evaluator: [asdict(each) | {"worse": each.is_worse} for each in found]
            for evaluator, found in result.comparisons.items()
        },
        "metrics": {f"{event.evaluator}/{event.set_name}": dict(event.metrics) for event in result.events},
    }
