"""The columns of a file by our names, and the turns that they make.

- `turns`: a conversation, a list of {role, text} or {role, content}; it comes before the others;
- `prompt` with `system` and `response`: a user's turn, with the system's before and the assistant's after it;
- `text`: a document;
- `label`, `answer` (reference answer), `tests` (program, or a list of lines): for classification, maths, code;
- `domain` (stratum), `id`, `origin`, `generation`, `licence`: where it comes from.
"""

import difflib
import json
from collections.abc import Collection, Mapping
from typing import Any

from services.ingest.cleaning import clean
from services.ingest.errors import IngestError, UnfitError
from streams.samples import Turn

FIELDS = (
    "turns", "system", "prompt", "response", "text", "label", "answer", "tests",
    "domain", "id", "origin", "generation", "licence",
)  # fmt: skip
_CONTENT = ("turns", "prompt", "text")
# What a sample of a known task can't be without: of each group at least one.
_NEEDS: dict[str, tuple[tuple[str, ...], ...]] = {
    "text": (("text",),),
    "instruction": (("prompt", "turns"), ("response", "turns")),
    "chat": (("turns",),),
    "classification": (("text", "prompt", "turns"), ("label",)),
    "math": (("prompt", "turns"), ("answer", "response", "turns")),
}
_ANY = (_CONTENT,)


def columns(declared: Mapping[str, str]) -> dict[str, str]:
    """Return the column of each of our fields: as declared, else of the same name if it is not declared for another."""
    for field in declared:
        if field not in FIELDS:
            near = difflib.get_close_matches(field, FIELDS, 1)
            hint = f"did you mean `{near[0]}`?" if near else f"the fields are {', '.join(FIELDS)}"
            raise IngestError(f"`seeds.columns` names a field `{field}` that no sample has; {hint}")
    taken = set(declared.values())
    return {**{field: field for field in FIELDS if field not in taken}, **declared}


def check(task: str, declared: Mapping[str, str], present: Collection[str], file: str) -> None:
    """Raise IngestError if a file's columns can't make samples of the task."""
    has = ", ".join(sorted(present)) or "none"
    for field, column in declared.items():
        if column not in present:
            raise IngestError(f"{file} has no column `{column}`; mend `seeds.columns.{field}` (its columns: {has})")
    ours = columns(declared)
    for group in _NEEDS.get(task, _ANY):
        if not any(ours.get(field) in present for field in group):
            raise IngestError(
                f"{file} has no column for {_either(group)}, which task `{task}` needs; "
                f"say in `seeds.columns` which one it is (its columns: {has})"
            )


def complete(task: str, values: Mapping[str, Any]) -> None:
    """Raise UnfitError if a row lacks what its task needs."""
    for group in _NEEDS.get(task, _ANY):
        if not any(values.get(field) not in (None, "") for field in group):
            raise UnfitError(f"no {_either(group)}")


def turns(values: Mapping[str, Any]) -> list[Turn]:
    """Return the turns as they stand in the row."""
    if values.get("turns") is not None:
        return [_turn(turn) for turn in _listed(values["turns"])]
    if values.get("prompt") is None:
        return [Turn(role="document", text=scalar("text", values.get("text")) or "")]
    roles = {"system": "system", "prompt": "user", "response": "assistant"}
    said = {role: scalar(field, values.get(field)) for field, role in roles.items()}
    return [Turn(role=role, text=text) for role, text in said.items() if text]


def scalar(field: str, value: Any) -> str | None:
    """Return a value as text; lists and objects are none."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, (bool, int, float)):
        return json.dumps(value)
    raise UnfitError(f"`{field}` is a {type(value).__name__} where a text is needed")


def program(value: Any) -> str | None:
    """Return tests as one program; a list of lines is joined."""
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        return "\n".join(value)
    return scalar("tests", value)


def _listed(value: Any) -> list[Any]:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise UnfitError("`turns` is a text that is no JSON") from None
    if not isinstance(value, list) or not value:
        raise UnfitError("`turns` is no list of turns")
    return value


def _turn(turn: Any) -> Turn:
    text = turn.get("text", turn.get("content")) if isinstance(turn, dict) else None
    role = turn.get("role") if isinstance(turn, dict) else None
    if not isinstance(text, str) or not isinstance(role, str) or not clean(role):
        raise UnfitError("a turn is no {role, text} or {role, content} with texts")
    return Turn(role=clean(role).lower(), text=text)


def _either(group: tuple[str, ...]) -> str:
    return " or ".join(f"`{field}`" for field in group)
