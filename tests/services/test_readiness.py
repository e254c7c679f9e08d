from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from made_up import samples
from pydantic import SecretStr
from wire import Server

from services import meaning
from services.recipe import parse
from services.settings import Settings
from services.sketch.groups import Groups
from services.supervise import readiness
from services.supervise.readiness import KNOWN_AFTER, WATCHED, Finding, warnings
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


def found_of(plan: dict[str, Any], folder: Path) -> dict[str, Finding]:
    chosen = Chosen(recipe=parse(plan, "test"), settings=Settings(), folder=folder)
    return {each.name: each for each in readiness.findings(chosen)}


def paid(what: str, *models: dict[str, Any]) -> dict[str, Any]:
    both = {"source": {"sources": models}, "judge": {"verify": {"checks": ["judge"], "judges": models}}}
    return {"seeds": {"path": "x", "licence": "cc0"}, "generate": {"target": 1}, **both[what]}


@pytest.mark.parametrize("what", ["source", "judge"])
def test_a_paid_model_needs_its_key_before_anything_starts(
    what: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    model = {"name": "q", "provider": "anthropic", "model": "m-1", "family": "f"}
    found = found_of(paid(what, model, {**model, "name": "r", "api_key_variable": "MY_KEY"}), tmp_path)
    for name, variable in (("q", "BALLAST_ANTHROPIC_API_KEY"), ("r", "MY_KEY")):
        assert not found[f"{what} {name}"].ok
        assert f"set {variable}" in found[f"{what} {name}"].told
    monkeypatch.setenv("BALLAST_ANTHROPIC_API_KEY", "sk-1")
    key = Settings().key("BALLAST_ANTHROPIC_API_KEY")
    assert key is not None
    assert key.get_secret_value() == "sk-1"
    assert Settings(openai_api_key=SecretStr("")).key("BALLAST_OPENAI_API_KEY") is None
    assert "sk-" not in repr(Settings())


@pytest.mark.parametrize("what", ["source", "judge"])
def test_check_asks_all_models_at_once_whether_they_are_there_and_buys_nothing(
    what: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MY_KEY", "sk-2")
    server = Server(str)
    server.models = ["m-1"]
    server.is_held = lambda _: len(server.looks) < 3  # none is answered before all are asked
    model = {"provider": "openai", "family": "f", "base_url": f"{server.url}/v1", "api_key_variable": "MY_KEY"}
    priced = {"name": "q", "model": "m-1", "price": {"input": 1, "output": 2}}
    others = {"name": "r", "model": "m-1"}, {"name": "s", "model": "m-2"}
    found = found_of(paid(what, *({**model, **each} for each in (priced, *others))), tmp_path)
    server.close()
    assert found[f"{what} q"] == (f"{what} q", True, f"m-1 at {server.url}/v1 is there", ())
    unpriced = "The price of r is unknown: `ballast cost` can't tell dollars, and a budget of dollars can't hold"
    assert found[f"{what} r"] == (f"{what} r", True, f"m-1 at {server.url}/v1 is there", (unpriced,))
    absent = f"s at {server.url}/v1 has no model m-2; did you mean m-1?"
    assert found[f"{what} s"][:3] == (f"{what} s", False, absent)
    assert server.seen == []
    assert "sk-2" not in str(found)
