"""What of a seed stays in a sample that is made from it, and how a model's answer becomes that sample."""

import re

from services.generate.form import Told, form_of, told
from streams.parts import Content
from streams.samples import Sample, Strategy, Turn

_ONE_TEXT = ("text", "classification")  # tasks whose samples are a text, not an answer to one
_FINAL = "####"  # before the final answer of a solution, as the check `math` reads it too
_FENCED = re.compile(r"\A```\w*\n(.*?)\n?```\Z", re.DOTALL)


def content_of(seed: Sample) -> Content:
    """Return what a seed says before its answer, with its label, its reference answer and its tests.

    A reference answer may stand in the seed's own solution, after its last `####`.
    """
    is_answered = len(seed.turns) > 1 and seed.turns[-1].role == "assistant"
    _, mark, final = seed.turns[-1].text.rpartition(_FINAL) if is_answered else ("", "", "")
    return Content(
        turns=seed.turns[:-1] if is_answered and seed.task not in _ONE_TEXT else seed.turns,
        label=seed.label,
        answer=seed.answer or (final.strip().partition("\n")[0] or None if mark else None),
        tests=seed.tests,
    )


def read(task: str, strategy: Strategy, seed: Content, answer: str) -> Content:
    """Return what the sample says; raises ValueError for an answer that lacks a part that was asked for."""
    form = form_of(task, strategy)
    found = told(answer, form) if form else Told({})
    if found.turns:
        return Content(turns=(*_system(seed), *found.turns))
    if "text" in form or (not form and task in _ONE_TEXT):
        text = found.parts.get("text", answer.strip())
        turns = (*seed.turns[:-1], Turn(role=seed.turns[-1].role, text=text))
        return Content(turns=turns, label=found.parts.get("label", seed.label))
    if not form:
        return _with(seed, (*seed.turns, Turn(role="assistant", text=answer.strip())))
    pair = (Turn(role="user", text=found.parts["prompt"]), Turn(role="assistant", text=found.parts["response"]))
    if strategy == "rephrase":
        return _with(seed, (*seed.turns[:-1], *pair))
    return Content(turns=(*_system(seed), *pair), answer=found.parts.get("answer"), tests=_tests(found))


def _with(seed: Content, turns: tuple[Turn, ...]) -> Content:
    return Content(turns=turns, label=seed.label, answer=seed.answer, tests=seed.tests)


def _system(seed: Content) -> tuple[Turn, ...]:
    return tuple(turn for turn in seed.turns if turn.role == "system")


def _tests(found: Told) -> str | None:
    if (tests := found.parts.get("tests")) is None:
        return None
    fenced = _FENCED.match(tests)
    return fenced[1] if fenced else tests
