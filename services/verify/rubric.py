"""What a judge is asked and how its answer is read: a versioned rubric, a hostile text between marks, strict JSON."""

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any, NamedTuple

from jinja2 import Environment, StrictUndefined

from services.models.jsonobject import json_object
from services.models.marked import Part, mark_of
from streams.samples import Sample, Turn, digest

CRITERIA = ("correctness", "coherence", "on_task", "naturalness", "safety")
_KEYS = {*CRITERIA, "confidence", "reason"}
_LOWEST, _HIGHEST = 1, 5
_SOURCES = [files("services.verify").joinpath(f"{part}.jinja").read_text("utf-8") for part in ("rubric", "sample")]
_TEMPLATES = Environment(undefined=StrictUndefined, autoescape=False)  # noqa: S701 - a prompt is no markup
_RULES, _SAMPLE = map(_TEMPLATES.from_string, _SOURCES)

RUBRIC = digest("rubric", *_SOURCES)


class Opinion(NamedTuple):
    """A judge's answer: a score of 1 to 5 for each criterion, how sure it is (0 to 1), and why."""

    scores: Mapping[str, int]
    confidence: float
    reason: str


def prompt(sample: Sample, *, again: bool = False) -> tuple[Turn, ...]:
    """Return the prompt; `again` after an answer that could not be read.

    The marks are a hash of all that they enclose, so no text can hold its own.
    """
    parts = _parts(sample)
    mark = mark_of(parts)
    told = _SAMPLE.render(mark=mark, parts=parts, again=again)
    return Turn(role="system", text=_RULES.render(mark=mark)), Turn(role="user", text=told)


def read(text: str) -> Opinion:
    """Read an answer; raises ValueError for everything but the one JSON object that was asked for."""
    data = json_object(text)
    if set(data) != _KEYS:
        raise ValueError("the answer has not the keys that were asked for")
    confidence, reason = data["confidence"], data["reason"]
    if type(confidence) not in (int, float) or not 0 <= confidence <= 1 or not isinstance(reason, str):
        raise ValueError("the answer's confidence or reason is none")
    return Opinion({key: _score(data[key]) for key in CRITERIA}, float(confidence), reason)


def _parts(sample: Sample) -> list[Part]:
    given = (("task", sample.task), ("label", sample.label), ("reference answer", sample.answer))
    told = [Part(name, text) for name, text in given if text is not None]
    return [*told, *(Part(f"turn of {json.dumps(turn.role)}", turn.text) for turn in sample.turns)]


def _score(value: Any) -> int:
    if type(value) is not int or not _LOWEST <= value <= _HIGHEST:
        raise ValueError("a score of the answer is no whole number from 1 to 5")
    return int(value)
