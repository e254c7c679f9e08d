"""The one JSON object that a model was asked to answer with."""

import json
from collections.abc import Sequence
from typing import Any

_FENCES = ("```json\n", "```\n")


def json_object(text: str) -> dict[str, Any]:
    """Read it, fenced or not; raises ValueError for anything else, and for a key that is there twice."""
    try:
        data = json.loads(_unfenced(text.strip()), object_pairs_hook=_distinct)
    except RecursionError as error:
        raise ValueError("the answer is nested too deeply") from error
    if not isinstance(data, dict):
        raise ValueError("the answer is no JSON object")  # noqa: TRY004 - an answer is no argument
    return data


def _unfenced(text: str) -> str:
    fence = next((fence for fence in _FENCES if text.startswith(fence)), None)
    if fence is None or not text.endswith("\n```"):
        return text
    return text[len(fence) : -len("\n```")]


def _distinct(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("the answer has a key twice")
    return found
