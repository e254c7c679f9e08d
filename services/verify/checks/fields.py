"""What a task needs of a sample, to find the fault of one that lacks it; a task that is not known needs nothing."""

from collections.abc import Callable, Mapping

from services.faults.fault import Fault
from streams.samples import Sample


def fields_fault(sample: Sample) -> Fault | None:
    """Return what the sample lacks for its task."""
    need = _NEEDS.get(sample.task)
    return None if need is None else need(sample)


def _answered(sample: Sample) -> Fault | None:
    roles = [turn.role for turn in sample.turns]
    if roles[-1:] != ["assistant"]:
        return _fault(sample, "role", "The last turn is no assistant's")
    if roles[-2:-1] != ["user"]:
        return _fault(sample, "role", "The last turn answers no user's turn")
    return None


def _labelled(sample: Sample) -> Fault | None:
    return None if _told(sample.label) else _fault(sample, "label", "The sample has no label")


def _solved(sample: Sample) -> Fault | None:
    if _told(sample.answer) or [turn.role for turn in sample.turns[-1:]] == ["assistant"]:
        return None
    return _fault(sample, "answer", "The sample has neither an answer nor an assistant's last turn to hold one")


def _fault(sample: Sample, field: str, what: str) -> Fault:
    return Fault({"field": field, "task": sample.task}, f"{what}, which the task {sample.task} needs.")


def _told(text: str | None) -> bool:
    return text is not None and bool(text.strip())


_NEEDS: Mapping[str, Callable[[Sample], Fault | None]] = {
    "instruction": _answered,
    "chat": _answered,
    "classification": _labelled,
    "math": _solved,
}
