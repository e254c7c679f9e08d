"""The fold of the topic `evaluate`: every score so far, and where the next cycle of the proxies starts."""

from collections.abc import Sequence
from contextlib import closing

from services.evaluate.cycle import Batches
from services.evaluate.scores import Run, runs
from services.evaluate.sets import SYNTHETIC
from streams.broker import Broker, Record
from streams.codec import Codec
from streams.events import EvaluationCompleted
from streams.fold import Fold
from streams.topics import name

PROXY = "proxy-"  # begins the evaluator's name of every proxy
_FIRST = f"{PROXY}ngram"  # the proxy that every run has


class History:
    """All scores that are committed at the moment of its making. Blocks until they are read."""

    def __init__(self, broker: Broker, codec: Codec, pipeline: str) -> None:
        self._codec = codec
        self.events: list[EvaluationCompleted] = []
        with closing(Fold(broker, [name(pipeline, "evaluate")], self._take)) as fold:
            fold.catch_up()

    def evaluators(self) -> Sequence[str]:
        """Return who has reported, in order of their first report."""
        return list(dict.fromkeys(event.evaluator for event in self.events))

    def runs(self, evaluator: str) -> Sequence[Run]:
        """Return the runs of one evaluator in the order of their cycles."""
        return runs(self.events, evaluator)

    def of_proxies(self, run_id: str) -> Sequence[EvaluationCompleted]:
        """Return what the proxies have scored in one run."""
        return [event for event in self.events if event.run_id == run_id and event.evaluator.startswith(PROXY)]

    def firsts(self) -> Sequence[EvaluationCompleted]:
        """Return one event of each run of the proxies, in order."""
        return [next(iter(run.values())) for run in self.runs(_FIRST)]

    def next_batch(self) -> int:
        """Return the first batch that no proxy has learnt from."""
        return max((event.trained_to_batch or 0 for event in self.firsts()), default=0)

    def frozen(self) -> Batches | None:
        """Return the batches that the benchmark is made of: those of the first run that has it."""
        start = 0
        for run in self.runs(_FIRST):
            end = next(iter(run.values())).trained_to_batch or 0
            if SYNTHETIC in run:
                return Batches(start, end)
            start = end
        return None

    def _take(self, records: Sequence[Record]) -> None:
        events = [self._codec.decode(record.value) for record in records]
        self.events += [event for event in events if isinstance(event, EvaluationCompleted)]
