"""Temperatures and personas: how calls differ beyond their seeds, spread evenly over all that they may be."""

from collections.abc import Mapping, Sequence
from math import gcd

from services.recipe import Personas

TEMPERATURES = 5  # steps of a range
_FACTS, _PHRASING = (0.2, 0.6), (0.7, 1.1)
_RANGES = {"math": _FACTS, "code": _FACTS, "classification": _FACTS}
_DEFAULT = Personas(
    style=(
        "plain and brief",
        "lively and colloquial",
        "dry and exact",
        "warm and patient",
        "vivid with images and examples",
        "formal",
        "blunt",
        "thoughtful and fair to both sides",
    ),
    expertise=("somebody new to the subject", "somebody who works with it every day", "a scholar of it"),
    perspective=(
        "a teacher",
        "a craftsman",
        "a parent",
        "a traveller",
        "an engineer",
        "a nurse",
        "somebody who has just been proved wrong",
    ),
)


def range_of(task: str) -> tuple[float, float]:
    """Return a task's usual temperatures: low where facts count, high where phrasing does."""
    return _RANGES.get(task, _PHRASING)


def step_of(call_index: int) -> int:
    """Return the call's step of its range.

    A batch of the schedule is five calls, one of each step: longer ones would look like a source that changes to the
    monitor, which judges cells of 25 documents.
    """
    return call_index % TEMPERATURES


def attributes(personas: Personas | str) -> dict[str, tuple[str, ...]]:
    """Return the attributes of a recipe's personas with their values; none for `none`."""
    if isinstance(personas, str):
        return attributes(_DEFAULT) if personas == "default" else {}
    found = {name: getattr(personas, name) for name in type(personas).model_fields}
    return {name: values for name, values in found.items() if values}


def persona_of(call_index: int, values: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return the call's value of each attribute."""
    _, *found = places(call_index, [TEMPERATURES, *map(len, values.values())])
    return {name: some[place] for (name, some), place in zip(values.items(), found, strict=True)}


def places(call_index: int, sizes: Sequence[int]) -> list[int]:
    """Return a place in each of several lists: every run of calls meets each place of a list nearly equally often.

    And in as many calls as there are combinations, each comes once: a list that would go in step with those before it
    is moved on by one as often as it has gone through all that the step allows (a mixed-radix Chinese remainder).
    """
    combinations, found = 1, []
    for size in sizes:
        common = gcd(combinations, size)
        moved = call_index * common // (combinations * size) % common
        found.append((call_index + moved) % size)
        combinations *= size
    return found
