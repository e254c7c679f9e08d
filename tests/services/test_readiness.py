from typing import Any

import pytest

from services.recipe import parse
from services.supervise.readiness import KNOWN_AFTER, warnings


def told(target: int, **other: Any) -> str:
    sources = [{"name": name, "provider": "local", "family": name} for name in "ab"]
    plan = {"pipeline": "p", "seeds": {"path": "x", "licence": "cc0"}, "generate": {"target": target}, **other}
    return " ".join(warnings(parse({"sources": sources, **plan}, "test")))


@pytest.mark.parametrize(("target", "warns"), [(2 * KNOWN_AFTER, False), (2 * KNOWN_AFTER - 2, True), (100, True)])
def test_who_ends_before_the_monitor_knows_the_sources_is_warned(target: int, warns: bool) -> None:
    assert ("knows a source after some 4,000 documents" in told(target)) == warns


def test_a_source_without_weight_is_not_missed() -> None:
    silent = {"name": "c", "provider": "local", "family": "c", "weight": 0}
    spoken = {"name": "a", "provider": "local", "family": "a"}
    assert "knows a source" not in told(KNOWN_AFTER, sources=[spoken, silent])
