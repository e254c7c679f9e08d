"""What the page shows of one sample that waits, worked out before any HTML is made."""

from collections.abc import Sequence
from typing import NamedTuple

from services.review.page.marking import Piece, marked, quotes
from streams.events import ReviewRequested
from streams.samples import Outcome, Sample, Verdict

_MINUTE_MS = 60_000
_UNITS = ((1_440, "day"), (60, "hour"), (1, "minute"))
_WHY = {
    "flagged": "A check is not sure",
    "audit": "Drawn at random, to measure the checks",
    "rare": "From a rare region of the data",
    "unknown": "Asked for",
}


class Said(NamedTuple):
    """One turn."""

    role: str
    pieces: Sequence[Piece]


class Card(NamedTuple):
    """All that is shown of one sample; `text` is what an edit begins with."""

    sample_id: str
    why: str
    expires: str
    task: str
    turns: Sequence[Said]
    text: str
    facts: Sequence[tuple[str, str]]
    verdicts: Sequence[Verdict]
    neighbour: str
    lineage: Sequence[tuple[str, str]]


def card(request: ReviewRequested, now: int) -> Card:
    """Return what is shown; an audited sample hides what the checks said, for it is there to measure them."""
    sample = request.sample
    verdicts = () if request.audited else request.verdicts
    wanted = quotes(verdicts)
    return Card(
        sample_id=sample.sample_id,
        why=_why(request),
        expires="never" if request.expires_at is None else span(request.expires_at - now),
        task=sample.task,
        turns=[Said(turn.role, marked(turn.text, wanted)) for turn in sample.turns],
        text=sample.turns[-1].text if sample.turns else "",
        facts=_facts(sample),
        verdicts=sorted(verdicts, key=lambda verdict: _RANK[verdict.outcome]),
        neighbour=request.nearest_text or "",
        lineage=_lineage(sample),
    )


def span(milliseconds: int) -> str:
    """Return a time to come in its largest unit."""
    if milliseconds <= 0:
        return "now"
    minutes = milliseconds // _MINUTE_MS
    for size, unit in _UNITS:
        if count := minutes // size:
            return f"in {count} {unit}{'s' * (count > 1)}"
    return "in less than a minute"


_RANK: dict[Outcome, int] = {"fail": 0, "flag": 1, "pass": 2}


def _why(request: ReviewRequested) -> str:
    flags = [verdict.check for verdict in request.verdicts if verdict.outcome == "flag"]
    if request.audited:
        return _WHY["audit"]
    return f"{_WHY[request.reason]}: {', '.join(flags)}" if flags else _WHY[request.reason]


def _facts(sample: Sample) -> list[tuple[str, str]]:
    told = [("label", sample.label), ("answer", sample.answer), ("tests", sample.tests), *sorted(sample.tags.items())]
    return [(key, value) for key, value in told if value]


def _lineage(sample: Sample) -> list[tuple[str, str]]:
    lineage, source = sample.lineage, sample.lineage.source
    told: list[tuple[str, object]] = [("origin", lineage.origin.lower()), ("generation", lineage.generation)]
    if source is not None:
        told += [("source", source.name), ("model", source.model_id), ("family", source.family)]
        told += [("temperature", source.temperature), ("persona", source.persona), ("strategy", source.strategy)]
    told += [("seed", lineage.seed_id), ("parents", ", ".join(lineage.parent_ids))]
    return [(key, str(value)) for key, value in told if value not in (None, "", "unknown")]
