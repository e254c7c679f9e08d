"""The way of a sample: every event about it, and about all samples it was made from, back to human text."""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import NamedTuple

from streams.events import Event
from streams.samples import Sample

JUDGE = "judge"  # purpose of the calls of `response` that verify makes about a candidate
FLOW = (
    "seed",
    "reference",
    "holdout",
    "response",
    "generate",
    JUDGE,
    "dead",
    "review",
    "decision",
    "verify",
    "reject",
    "mix",
)


class Found(NamedTuple):
    """An event and where it lies; `subject` is the sample_id or request_key that it is about."""

    word: str
    partition: int
    offset: int
    subject: str
    event: Event


class Step(NamedTuple):
    """One sample of the way; `depth` counts from the sample that was asked for, `parents` are what it was made from."""

    sample_id: str
    depth: int
    parents: tuple[str, ...]
    events: tuple[Found, ...]


Scan = Callable[[Collection[str]], Iterable[Found]]


def trace(sample_id: str, scan: Scan) -> list[Step]:
    """Return the way of a sample, itself first; empty if no event is about it.

    `scan` finds every event about some subjects; it is called once for each generation, and once more.
    """
    steps: list[Step] = []
    wanted: list[str] = [sample_id]
    pending: dict[str, list[Found]] = {}
    depth = 0
    while wanted:
        found = _by_subject(scan([*wanted, *_requests(pending)]))
        _add_answers(steps, pending, found)
        level = [Step(each, depth, _parents(found[each]), tuple(found[each])) for each in wanted if each in found]
        pending = {step.sample_id: list(step.events) for step in level}
        steps += level
        seen = {step.sample_id for step in steps}
        wanted = list(dict.fromkeys(parent for step in level for parent in step.parents if parent not in seen))
        depth += 1
    if requests := _requests(pending):
        _add_answers(steps, pending, _by_subject(scan(requests)))
    return [step._replace(events=tuple(sorted(step.events, key=_order))) for step in steps]


def _by_subject(found: Iterable[Found]) -> dict[str, list[Found]]:
    grouped: dict[str, list[Found]] = {}
    for each in found:
        grouped.setdefault(each.subject, []).append(each)
    return grouped


def _samples(found: Sequence[Found]) -> list[Sample]:
    return [sample for each in found if isinstance(sample := getattr(each.event, "sample", None), Sample)]


def _parents(found: Sequence[Found]) -> tuple[str, ...]:
    named = [
        parent
        for sample in _samples(found)
        for parent in (*([sample.lineage.seed_id] if sample.lineage.seed_id else []), *sample.lineage.parent_ids)
    ]
    return tuple(dict.fromkeys(named))


def _request(found: Sequence[Found]) -> str | None:
    return next((sample.lineage.source.request_key for sample in _samples(found) if sample.lineage.source), None)


def _requests(pending: dict[str, list[Found]]) -> list[str]:
    return [key for found in pending.values() if (key := _request(found))]


def _add_answers(steps: list[Step], pending: dict[str, list[Found]], found: dict[str, list[Found]]) -> None:
    """Give the samples of the last level the model's answers that they came from."""
    for number, step in enumerate(steps):
        key = _request(pending.get(step.sample_id, ()))
        if key is not None:
            steps[number] = step._replace(events=(*step.events, *found.get(key, ())))


def _order(found: Found) -> tuple[int, str, int, int]:
    word = JUDGE if getattr(found.event, "purpose", "") == JUDGE else found.word.split(".")[0]
    return (FLOW.index(word) if word in FLOW else len(FLOW), found.word, found.partition, found.offset)
