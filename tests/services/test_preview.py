"""`ballast preview`, `plan` and `recipe schema`, as they are called."""

import contextlib
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from wire import Server

from services.cli import load
from services.commands import output
from services.errors import InputError

EXAMPLES = Path(__file__).parents[2] / "examples"
PRICE = {"input": 1.0, "output": 10.0}


@pytest.fixture
def server() -> Iterator[Server]:
    one = Server(lambda _: "The river is long.\n#### 7")
    yield one
    one.close()


def recipe(folder: Path, *sources: dict[str, Any], **generate: Any) -> Path:
    rows = [{"prompt": f"Ann has {n} apples and buys {n + 3}. How many?", "answer": str(2 * n + 3)} for n in range(20)]
    (folder / "maths.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    told = {
        "pipeline": "tried",
        "task": "math",
        "seeds": {"reader": "jsonl", "path": "maths.jsonl", "licence": "cc0"},
        "sources": list(sources),
        "generate": {"target": 100, "max_tokens": 40, **generate},
    }
    (folder / "recipe.yaml").write_text(yaml.safe_dump(told))
    return folder / "recipe.yaml"


def paid(url: str, **fields: Any) -> dict[str, Any]:
    base = {"name": "q", "provider": "openai", "model": "m-1", "family": "f", "base_url": f"{url}/v1", "price": PRICE}
    return {**base, **fields}


def preview(folder: Path, *arguments: str) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BALLAST_HOME", str(folder / "home"))
        said = ran("preview", *arguments)
    assert not (folder / "home").exists(), "no state is left behind"
    return said


def ran(command: str, *arguments: str) -> str:
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        load(command).main(list(arguments), standalone_mode=False)
    return said.getvalue()


def test_prompts_are_shown_as_they_are_sent_with_what_comes_of_them(server: Server, tmp_path: Path) -> None:
    path = recipe(tmp_path, paid(server.url))
    told = json.loads(preview(tmp_path, str(path), "-n", "3", "--json"))
    sent = [[turn["content"] for turn in seen.body["messages"]] for seen in server.seen]
    assert [[turn["text"] for turn in one["prompt"]] for one in told] == sent
    assert [seen.body["temperature"] for seen in server.seen] == [one["temperature"] for one in told] == [0.2, 0.3, 0.4]
    for one in told:
        assert one["sample"]["turns"][-1] == {"role": "assistant", "text": "The river is long.\n#### 7"}
        assert (one["strategy"], one["cost"]) == ("answer", 120e-6 + 10e-5)
        assert one["sample"]["answer"]
        assert one["persona"].startswith("style=")


def test_later_calls_have_later_strategies_and_an_answer_that_can_not_be_read_says_so(
    server: Server, tmp_path: Path
) -> None:
    path = recipe(tmp_path, paid(server.url))
    (one,) = json.loads(preview(tmp_path, str(path), "-n", "1", "--from", "1000000", "--json"))
    assert one["strategy"] == "new_prompt"
    assert one["why"] == "The answer can't be read: it has no part `prompt`"


@pytest.mark.parametrize(
    ("told", "is_held"), [({}, False), ({"structured": True}, True), ({"structured": False}, False)]
)
@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_answers_of_several_parts_are_held_to_a_schema_where_that_is_asked(
    provider: str, told: dict[str, bool], is_held: bool, server: Server, tmp_path: Path
) -> None:
    url = server.url if provider == "anthropic" else f"{server.url}/v1"
    server.says = lambda _: json.dumps({"prompt": "What is 2 + 2?", "response": "It is 4.\n#### 4", "answer": "4"})
    path = recipe(tmp_path, paid(server.url, provider=provider, base_url=url, **told))
    (one,) = json.loads(preview(tmp_path, str(path), "-n", "1", "--from", "1000000", "--json"))
    assert one["strategy"] == "new_prompt"
    assert bool({"response_format", "output_config"} & set(server.seen[0].body)) == bool(one["schema"]) == is_held
    assert one["why"] == ""
    assert [turn["text"] for turn in one["sample"]["turns"]] == ["What is 2 + 2?", "It is 4.\n#### 4"]


@pytest.mark.parametrize("width", [80, 120])
def test_on_a_terminal_nothing_is_wider_than_it(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setattr(output, "_WIDE", width)
    path = recipe(tmp_path, paid(server.url))
    text = preview(tmp_path, str(path), "-n", "2")
    assert max(map(len, text.splitlines()[:-1])) <= width
    assert "call 0: q, m-1, answer, temperature 0.2" in text
    assert "call 1: q, m-1, answer, temperature 0.3" in text
    assert "These calls cost $0.0004." in " ".join(text.split())


def test_without_answers_nothing_is_asked_and_the_most_it_costs_is_told(server: Server, tmp_path: Path) -> None:
    path = recipe(tmp_path, paid(server.url))
    text = preview(tmp_path, str(path), "-n", "1", "--no-answers")
    assert not server.seen
    assert "sample" not in text.splitlines()
    (one,) = json.loads(preview(tmp_path, str(path), "-n", "1", "--no-answers", "--json"))
    tokens = sum(len(turn["text"].encode()) + 16 for turn in one["prompt"])
    assert one["worst_cost"] == pytest.approx((tokens * 1.0 + 40 * 10.0) / 1e6)
    assert f"A call costs ${one['worst_cost']:.5f} at most, so 100 accepted samples" in " ".join(text.split())


def test_an_unknown_price_is_unknown_and_a_missing_key_or_server_is_told_beside_the_prompt(tmp_path: Path) -> None:
    vendor = {"name": "v", "provider": "anthropic", "model": "m-2", "family": "g"}
    path = recipe(tmp_path, paid("http://127.0.0.1:9", price=None), vendor)
    text = " ".join(preview(tmp_path, str(path), "-n", "2").split())
    assert "q gives no answer: it cannot be reached" in text
    assert "v gives no answer: v has no key: set BALLAST_ANTHROPIC_API_KEY" in text
    assert "What it costs is unknown" in text


def test_local_models_learn_from_the_files_and_cost_nothing(tmp_path: Path) -> None:
    path = recipe(tmp_path, {"name": "a", "provider": "local", "family": "n", "order": 2})
    (one,) = json.loads(preview(tmp_path, str(path), "-n", "1", "--json"))
    assert one["sample"]["turns"][-1]["text"]
    assert (one["cost"], one["worst_cost"]) == (0.0, 0.0)


def schema() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(ran("recipe", "schema"))
    return found


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_exported_schema_accepts_the_examples(path: Path) -> None:
    Draft202012Validator.check_schema(schema())
    Draft202012Validator(schema()).validate(yaml.safe_load(path.read_text("utf-8")))


def test_the_exported_schema_knows_no_misspelt_key() -> None:
    told = yaml.safe_load((EXAMPLES / "maths.yaml").read_text("utf-8"))
    told["generate"]["tarjet"] = 3
    (error,) = Draft202012Validator(schema()).iter_errors(told)
    assert "tarjet" in error.message


def test_a_plan_tells_calls_tokens_dollars_and_hours_of_each_source_and_asks_nobody(
    server: Server, tmp_path: Path
) -> None:
    other = paid(server.url, name="r", weight=3, concurrency=4, price={"input": 0.0, "output": 0.0})
    local = {"name": "n", "provider": "local", "family": "ngram", "weight": 4}
    path = recipe(tmp_path, paid(server.url, concurrency=8), other, local, over_generate=2)
    found = {each["source"]: each for each in json.loads(ran("plan", str(path), "--seconds", "3", "--json"))}
    assert not server.seen
    assert sum(each["calls"]["least"] for each in found.values()) == pytest.approx(100)
    assert found["r"]["calls"]["most"] == pytest.approx(2 * found["r"]["calls"]["least"])
    assert found["r"]["calls"]["least"] == pytest.approx(3 * found["q"]["calls"]["least"], rel=0.2)
    assert found["q"]["hours"]["most"] == pytest.approx(found["q"]["calls"]["most"] * 3 / 8 / 3600)
    assert found["r"]["dollars"] == found["n"]["dollars"] == {"least": 0, "most": 0}
    assert 0 < found["q"]["dollars"]["least"] < found["q"]["dollars"]["most"]
    assert found["q"]["dollars"]["most"] <= found["q"]["tokens"]["most"] * 10 / 1e6
    assert found["n"]["hours"] is None
    assert all(each["tokens"]["least"] < each["tokens"]["most"] for each in found.values())


@pytest.mark.parametrize(
    ("price", "budget", "end"),
    [
        (PRICE, {}, ""),
        (PRICE, {"dollars": 100}, ""),
        (PRICE, {"dollars": 0.02}, "the budget of $0.02 ends it before the target"),
        (PRICE, {"dollars": 0.1}, "the budget of $0.10 may end it before the target"),
        (None, {}, "what it costs is unknown: name the `price` of each source"),
    ],
)
def test_a_plan_says_whether_its_budget_is_enough(
    price: Any, budget: dict[str, float], end: str, server: Server, tmp_path: Path
) -> None:
    path = recipe(tmp_path, paid(server.url, price=price), budget=budget)
    last = ran("plan", str(path)).splitlines()[-1]
    assert last.startswith("100 accepted samples of 400 candidates at most")
    assert last.endswith(end)
    assert end or " will cost $0." in last


def test_a_plan_tells_what_judges_take_each_of_the_candidates_that_it_is_shown(server: Server, tmp_path: Path) -> None:
    judge = {"provider": "openai", "model": "j", "base_url": f"{server.url}/v1"}
    judges = [{**judge, "name": name, "family": family, "price": PRICE} for name, family in ("af", "bg", "ch")]
    path = recipe(tmp_path, paid(server.url), over_generate=2, budget={"dollars": 100})
    told = yaml.safe_load(path.read_text())
    path.write_text(yaml.safe_dump({**told, "verify": {"judges": judges, "concurrency": 5, "votes": 1}}))
    found = {each["source"]: each for each in json.loads(ran("plan", str(path), "--seconds", "2", "--json"))}
    assert not server.seen
    assert set(found) == {"q", "judge b", "judge c"}, "judge a is of the source's family"
    assert found["judge b"]["calls"] == {"least": 50, "most": 100}
    assert found["judge b"]["hours"]["most"] == pytest.approx(100 * 2 / 5 / 3600)
    assert found["judge b"]["dollars"]["most"] > 100 * 1_000 * PRICE["output"] / 1e6, "at most max_tokens each"
    assert 0 < found["judge b"]["dollars"]["least"] < found["judge b"]["dollars"]["most"]
    last = ran("plan", str(path)).splitlines()[-1]
    dollars = [each["dollars"]["most"] for each in found.values()]
    assert last.endswith(f"to {sum(dollars):,.2f}")
    for budget, end in ((1e-6, "is"), (sum(each["dollars"]["least"] for each in found.values()), "may be")):
        path.write_text(yaml.safe_dump({**told, "verify": {"judges": judges, "budget": {"dollars": budget}}}))
        assert f", {end} spent before, and people decide about the rest" in ran("plan", str(path)).splitlines()[-1]
    judges[1]["price"] = None
    path.write_text(yaml.safe_dump({**told, "verify": {"judges": judges}}))
    assert ran("plan", str(path)).splitlines()[-1].endswith("is unknown: name the `price` of each judge")


def stratified(folder: Path, url: str, targets: dict[str, int], **generate: Any) -> Path:
    """A recipe with quotas over seeds of which one in four is a complaint."""
    labels = ("complaint", "praise", "praise", "question")
    rows = [
        {"text": f"The soup of day {n} was what it was, said guest {3 * n}.", "label": labels[n % 4]}
        for n in range(200)
    ]
    path = recipe(
        folder, paid(url), target=sum(targets.values()), quotas={"by": "label", "targets": targets}, **generate
    )
    (folder / "maths.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    path.write_text(path.read_text().replace("task: math", "task: classification"))
    return path


@pytest.mark.parametrize("slots", [1, 3])
def test_with_quotas_a_preview_draws_each_stratum_in_its_proportion(slots: int, server: Server, tmp_path: Path) -> None:
    path = stratified(tmp_path, server.url, {"complaint": 60, "question": 40}, slots=slots)
    told = json.loads(preview(tmp_path, str(path), "-n", "100", "--no-answers", "--json"))
    said = [one["prompt"][-1]["text"] for one in told]
    complaints = [one for one in said if "complaint" in one]
    assert len(complaints) == 60
    assert not any("praise" in one for one in said)
    assert len({one["seed_id"] for one in told}) > 40, "each pass draws every seed once"
    (later,) = json.loads(preview(tmp_path, str(path), "-n", "1", "--from", "100", "--no-answers", "--json"))
    assert later["seed_id"] in {one["seed_id"] for one in told}


def test_a_plan_leaves_out_strata_without_seeds_and_says_so(server: Server, tmp_path: Path) -> None:
    path = stratified(tmp_path, server.url, {"complaint": 60, "spam": 40}, over_generate=2)
    said = ran("plan", str(path)).splitlines()
    assert "None of the seeds is of label spam, so 40 samples can't be made" in said
    assert said[-1].startswith("60 accepted samples of 120 candidates at most will cost $0.")
    (source,) = json.loads(ran("plan", str(path), "--json"))
    assert source["calls"] == {"least": 60, "most": 120}


def test_quotas_that_no_seed_meets_are_told_with_what_seeds_are_of(server: Server, tmp_path: Path) -> None:
    path = stratified(tmp_path, server.url, {"spam": 40})
    with pytest.raises(InputError, match="name one that seeds are of: complaint, praise, question"):
        ran("plan", str(path))


def test_what_ingest_would_set_aside_is_no_seed_of_a_preview(server: Server, tmp_path: Path) -> None:
    path = recipe(tmp_path, paid(server.url))
    good = {"prompt": "Ann has three apples and buys two. How many?", "answer": "5"}
    rows = [
        {"prompt": "Please write to ann.smith@gmail.com how many apples she has.", "answer": "5"},
        {"prompt": "Ann has apples.<|im_end|> How many?", "answer": "5"},
        *[{**good, "prompt": f"{number} pears and one more: how many?"} for number in range(20)],
    ]
    (tmp_path / "maths.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    told = json.loads(preview(tmp_path, str(path), "-n", "60", "--no-answers", "--json"))
    said = " ".join(turn["text"] for one in told for turn in one["prompt"])
    assert "pears" in said
    assert "gmail" not in said
    assert "im_end" not in said
