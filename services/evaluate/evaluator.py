"""Reads `mix`, `holdout` and `evaluate`, writes `evaluate`; one evaluation of what was mixed since the last.

A run that is in the log is not made again: it is judged again by what lies there.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass

from services.errors import InputError
from services.evaluate import cycle, sets
from services.evaluate.classifier import Classifier
from services.evaluate.cycle import Batches, Cycle
from services.evaluate.history import History
from services.evaluate.integrity import Integrity
from services.evaluate.proxy import Language, Proxy, has_labels
from services.evaluate.result import Result, judged, score_of
from services.evaluate.sets import Draw
from streams.broker import Broker
from streams.codec import Codec
from streams.errors import AbortableError, UnavailableError
from streams.events import EvaluationCompleted, SampleMixed
from streams.samples import Sample
from streams.topics import identity
from streams.writer import Output, Writer

WORDS = 200_000  # that a proxy learns from at most
_SLACK = 0.75  # of the first cycle's words are used: a later one of its size that is all synthetic has as many


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluator:
    """Evaluates one pipeline; `most_shared` is the recipe's limit of contamination, `now` UTC milliseconds."""

    broker: Broker
    codec: Codec
    pipeline: str
    most_shared: float
    now: int

    def run(self, run_id: str | None = None) -> Result:
        """Evaluate what was mixed since the last run and return what it says; exactly once for each run_id.

        Blocks for seconds. Raises InputError while there is too little to evaluate. Who runs at the same time is
        fenced and writes nothing.
        """
        with closing(Writer(self.broker, self.codec, self.pipeline, identity(self.pipeline, "evaluate", 0))) as writer:
            writer.start()
            history = History(self.broker, self.codec, self.pipeline)
            batches = Batches(history.next_batch(), cycle.mixed_batches(self.broker, self.pipeline))
            if known := _known(history, run_id, batches):
                return judged(history.events, history.of_proxies(known), is_new=False)
            result = judged(history.events, self._score(history, run_id or f"{batches.first}-{batches.end}", batches))
            write(writer, result.events)
        return result

    def _score(self, history: History, run_id: str, batches: Batches) -> list[EvaluationCompleted]:
        """Train the proxies on the batches and score them on every set."""
        holdout = cycle.holdout(self.broker, self.codec, self.pipeline)
        read = Cycle(Draw(WORDS), Integrity(holdout, self.most_shared))
        self._read(batches, read.add)
        wanted = _words(history, read.draw.words, batches)
        samples = read.draw.take(wanted)
        if not samples:
            raise InputError(f"Batches {batches.first} to {batches.end - 1} of the mix have no words to learn from")
        common = EvaluationCompleted(
            event_id="",
            occurred_at=self.now,
            run_id=run_id,
            cycle=len(history.firsts()),
            model_id="",
            set_name="",
            loss=0.0,
            documents=0,
            trained_to_batch=batches.end,
            largest_generation=read.largest_generation,
            metrics={"words": wanted, **read.metrics()},
        )
        scored = self._sets(history, holdout, read)
        events = [score_of(common, proxy, name, each) for proxy in proxies(samples) for name, each in scored.items()]
        if not any(events):
            raise InputError("Nothing is there to score on; give `split.holdout` a share before human data is ingested")
        return [event for event in events if event is not None]

    def _sets(self, history: History, holdout: Sequence[Sample], read: Cycle) -> Mapping[str, Sequence[Sample]]:
        """Return the sets without what has leaked."""
        found = sets.real_sets(sample for sample in holdout if sample.sample_id not in read.integrity.leaked)
        held_back = read.held_back
        if frozen := history.frozen():
            held_back = []
            self._read(frozen, lambda mixed: held_back.extend(sets.held_back_of(mixed)))
        if benchmark := sets.benchmark(held_back):
            found[sets.SYNTHETIC] = benchmark
        return found

    def _read(self, batches: Batches, take: Callable[[Sequence[SampleMixed]], None]) -> None:
        cycle.read(self.broker, self.codec, self.pipeline, batches, take)


def write(writer: Writer, events: Sequence[EvaluationCompleted]) -> None:
    """Write the events of a run as one. Raises UnavailableError if nothing was written."""
    try:
        writer.write(writer.encode(Output("evaluate", event.run_id, event) for event in events))
    except AbortableError as error:
        raise UnavailableError("The scores were not written; run the command again") from error


def proxies(samples: Sequence[Sample]) -> list[Proxy]:
    """Return the proxies, trained on the samples."""
    return [Language(samples), Classifier(samples)] if has_labels(samples) else [Language(samples)]


def _known(history: History, run_id: str | None, batches: Batches) -> str | None:
    """Return the run that is in the log already: the one that is meant, or the last if nothing was mixed since."""
    ids = [event.run_id for event in history.firsts()]
    if run_id in ids or (batches.first < batches.end):
        return run_id if run_id in ids else None
    if not ids:
        raise InputError("No batch is mixed yet; evaluate when there is one")
    return ids[-1]


def _words(history: History, there: int, batches: Batches) -> int:
    """Return how many words to learn from: as many as the first run did, for fewer alone make a model worse."""
    firsts = history.firsts()
    if not firsts:
        return min(WORDS, int(_SLACK * there))
    wanted = int(firsts[0].metrics["words"])
    if there < wanted:
        raise InputError(
            f"Batches {batches.first} to {batches.end - 1} have {there:,} words to learn from, and the first cycle "
            f"used {wanted:,}; wait until more is mixed, for less data alone makes a model worse"
        )
    return wanted
