"""Scores of an outside trainer: checked, judged against its earlier cycles, and written once for each run and set."""

import json
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path

from services.errors import InputError
from services.evaluate.evaluator import write
from services.evaluate.history import PROXY, History
from services.evaluate.result import Result, judged, with_losses
from streams.broker import Broker
from streams.codec import Codec
from streams.events import EvaluationCompleted, event_id
from streams.topics import identity
from streams.writer import Writer


class ContradictionError(InputError):
    """A report says something else than one that is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One model on one set: its mean loss, or the loss of each document by sample_id, in nats a token."""

    run_id: str
    cycle: int
    set_name: str
    trainer: str
    model_id: str
    loss: float | None = None
    documents: int = 0
    losses: Mapping[str, float] | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    trained_to_batch: int | None = None


def report(broker: Broker, codec: Codec, pipeline: str, said: Report, now: int) -> Result:
    """Write a report and return its run as judged now. Blocks.

    Raises InputError for a report that can't be used, ContradictionError if another is known.
    """
    event = _event(said, now)
    with closing(Writer(broker, codec, pipeline, identity(pipeline, "report", 0))) as writer:
        writer.start()
        past = History(broker, codec, pipeline).events
        of_run = [each for each in past if (each.run_id, each.evaluator) == (said.run_id, said.trainer)]
        if any(each.cycle != said.cycle for each in of_run):
            raise ContradictionError(
                f"Run {said.run_id} is of cycle {of_run[0].cycle}, not {said.cycle}; name another run"
            )
        known = next((each for each in of_run if each.set_name == said.set_name), None)
        if known is not None:
            if (known.loss, known.losses) != (event.loss, event.losses):
                raise ContradictionError(
                    f"Run {said.run_id} has reported {said.set_name} with a loss of {known.loss:g}, and a report is "
                    "never changed; name another run"
                )
            return judged(past, of_run, is_new=False)
        result = judged(past, [*of_run, event])
        write(writer, result.events[-1:])
    return result


def losses_of(path: Path) -> dict[str, float]:
    """Return the losses in a JSON lines file of {"sample_id": text, "loss": number}; raises InputError."""
    found: dict[str, float] = {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"The losses in {path} can't be read ({error}); give a file of JSON lines") from error
    for number, line in enumerate(lines, 1):
        try:
            row = json.loads(line)
            key, loss = row["sample_id"], float(row["loss"])
        except (ValueError, KeyError, TypeError):
            key, loss = None, float("nan")
        if not isinstance(key, str) or not isfinite(loss) or key in found:
            raise InputError(
                f'Line {number} of {path} is not {{"sample_id": text, "loss": number}} with an id of its own; mend it'
            )
        found[key] = loss
    if not found:
        raise InputError(f"{path} has no losses")
    return found


def _event(said: Report, now: int) -> EvaluationCompleted:
    if said.trainer.startswith(PROXY) or not said.trainer:
        raise InputError(f"The trainer {said.trainer!r} has a proxy's name or none; give the trainer another")
    if (said.loss is None) == (said.losses is None):
        raise InputError("Give either the mean loss, or the losses of documents")
    if said.loss is not None and not isfinite(said.loss):
        raise InputError(f"The loss {said.loss} is no number; give the mean in nats a token")
    event = EvaluationCompleted(
        event_id=event_id(EvaluationCompleted, said.run_id, said.trainer, said.set_name),
        occurred_at=now,
        run_id=said.run_id,
        cycle=said.cycle,
        model_id=said.model_id,
        set_name=said.set_name,
        loss=said.loss or 0.0,
        metrics=said.metrics,
        documents=said.documents,
        trained_to_batch=said.trained_to_batch,
        evaluator=said.trainer,
    )
    return event if said.losses is None else with_losses(event, said.losses)
