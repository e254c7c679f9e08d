"""What was rejected, by source and check: how much, and how surprising it was, which tells what verification costs."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TypedDict

from services.artefact import Artefact, columns_of
from services.sketch.groups import Groups
from streams.events import SampleRejected
from streams.processor import Input

_EDITED = "edited"  # another sample is accepted in its place


class Rejected(TypedDict):
    """The fields of BatchSketched that say so, by task, source and check; of samples that have enough words."""

    rejected: Mapping[str, int]
    rejected_surprisal: Mapping[str, float]


def rejected(inputs: Sequence[Input], groups: Groups, artefact: Artefact) -> Rejected:
    """Count the rejected samples of a batch; of several checks the first that failed has rejected it."""
    events = [each.event for each in inputs if isinstance(each.event, SampleRejected)]
    lost = [event for event in events if _EDITED not in event.reasons]
    if not lost:
        return {"rejected": {}, "rejected_surprisal": {}}
    columns = columns_of([event.sample for event in lost], artefact.unit)
    counts, sums = Counter[str](), Counter[str]()
    scores = artefact.surprisal.score(columns.flat()).tolist()
    for place, score in zip(columns.places.tolist(), scores, strict=True):
        of = groups.source_of(lost[place].sample)
        key = f"{of.task}/{of.source}/{next(iter(lost[place].reasons), lost[place].decided_by)}"
        counts[key] += 1
        sums[key] += score
    return {"rejected": dict(counts), "rejected_surprisal": dict(sums)}
