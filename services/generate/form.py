"""The parts that an answer has to have, by task and strategy, named as the columns that ingest reads.

They are asked for as JSON of a schema where a vendor holds its models to one, else between tags; both are read.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle
from typing import Any, NamedTuple

from services.models.jsonobject import json_object
from streams.samples import Strategy, Turn

Form = tuple[str, ...]

_FEWEST_TURNS = 4
_SPEAKERS = ("user", "assistant")
_PAIR = ("prompt", "response")
_FORMS: Mapping[tuple[str, Strategy], Form] = {
    ("text", "rephrase"): (),
    ("text", "new_prompt"): (),
    ("chat", "new_prompt"): ("turns",),
    ("classification", "answer"): ("text", "label"),
    ("classification", "rephrase"): (),
    ("classification", "new_prompt"): ("text", "label"),
    ("math", "new_prompt"): (*_PAIR, "answer"),
    ("code", "new_prompt"): (*_PAIR, "tests"),
}


class Told(NamedTuple):
    """What an answer says: texts by part, and the turns of a conversation."""

    parts: Mapping[str, str]
    turns: tuple[Turn, ...] = ()


def form_of(task: str, strategy: Strategy) -> Form:
    """Return the parts of an answer; none means that the whole answer is one."""
    return _FORMS.get((task, strategy), () if strategy == "answer" else _PAIR)


def schema_of(form: Form) -> dict[str, Any]:
    """Return the JSON Schema of an answer."""
    return _object({part: _turns() if part == "turns" else {"type": "string"} for part in form})


def told(text: str, form: Form) -> Told:
    """Read an answer; raises ValueError that says what is missing."""
    is_json = text.lstrip().removeprefix("```json").removeprefix("```").lstrip().startswith("{")
    values = _keys(json_object(text), form) if is_json else _tagged(text, form)
    turns = _checked(values.pop("turns")) if "turns" in form else ()
    for part, value in values.items():
        if not isinstance(value, str) or not value.strip():
            raise ValueError(f"its part `{part}` is no text")
    return Told({part: str(value).strip() for part, value in values.items()}, turns)


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def _turns() -> dict[str, Any]:
    turn = {"role": {"type": "string", "enum": list(_SPEAKERS)}, "text": {"type": "string"}}
    return {"type": "array", "items": _object(turn)}


def _keys(data: Mapping[str, Any], form: Form) -> dict[str, Any]:
    if missing := [part for part in form if part not in data]:
        raise ValueError(f"it has no part `{missing[0]}`")
    return {part: data[part] for part in form}


def _tagged(text: str, form: Form) -> dict[str, Any]:
    if form == ("turns",):
        return {"turns": list(_spoken(text))}
    found, at = {}, 0
    for part, after in zip(form, (*form[1:], None), strict=True):
        start = text.find(f"<{part}>", at)
        limit = text.find(f"<{after}>", start) if after else len(text)
        end = text.rfind(f"</{part}>", start, limit)
        if min(start, limit, end) < 0:
            raise ValueError(f"it has no part `{after if start >= 0 > limit else part}`")
        found[part], at = text[start + len(part) + 2 : end], end
    return found


def _spoken(text: str) -> Iterator[Mapping[str, str]]:
    at = 0
    for role in cycle(_SPEAKERS):
        start = text.find(f"<{role}>", at)
        end = text.find(f"</{role}>", start)
        if min(start, end) < 0:
            return
        yield {"role": role, "text": text[start + len(role) + 2 : end]}
        at = end


def _checked(values: Any) -> tuple[Turn, ...]:
    turns = values if isinstance(values, Sequence) and not isinstance(values, str) else []
    if len(turns) < _FEWEST_TURNS or len(turns) % 2:
        raise ValueError(f"it has {len(turns)} turns where an even number from {_FEWEST_TURNS} on is needed")
    return tuple(
        _turn(number, turn, role) for number, (turn, role) in enumerate(zip(turns, cycle(_SPEAKERS), strict=False))
    )


def _turn(number: int, turn: Any, role: str) -> Turn:
    text = turn.get("text") if isinstance(turn, Mapping) and turn.get("role") == role else None
    if not isinstance(text, str) or not text.strip():
        raise ValueError(f"its turn {number} is no text of the {role}")
    return Turn(role=role, text=text.strip())
