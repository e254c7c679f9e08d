"""Paid models behind the stage: each strategy's answers become samples, also those of a process that is gone."""

import json
from collections.abc import Callable
from typing import Any

from asked import SEEDS
from generate_world import Vendor, World, recipe
from hypothesis import given, settings
from hypothesis import strategies as st

from services.faults.unread import UNREAD
from services.generate.service import Generator
from services.index.minhash import shape
from services.models.provider import Answer, Request
from services.verify.check import Batch
from services.verify.checks.format import Format
from streams.events import SampleIngested
from streams.parts import Choice
from streams.samples import Sample

PAID = [{"name": "a", "provider": "openai", "model": "m-1", "family": "f"}]
QUICKLY = {"rephrase_from": 2, "new_prompt_from": 4}


class Scripted(Vendor):
    """A vendor that answers by a script; `dies` after so many answers."""

    def __init__(self, says: Callable[[Request], str]) -> None:
        super().__init__()
        self._says = says
        self.requests: list[Request] = []

    def answer(self, request: Request) -> Answer:
        super().answer(request)
        self.requests.append(request)
        return Answer((Choice(text=self._says(request)),))


def obedient(request: Request) -> str:
    """Give every part that is asked for, and name the call in each."""
    if request.schema is None:
        return f"An answer of call {request.call_index}."
    parts = request.schema["properties"]
    told: dict[str, Any] = {part: f"{part} of call {request.call_index}" for part in parts}
    if "turns" in parts:
        told["turns"] = [
            {"role": role, "text": f"turn of call {request.call_index}"} for role in ("user", "assistant") * 2
        ]
    return json.dumps(told)


def world_of(task: str, count: int = 3, **generate: Any) -> World:
    world = World(recipe(sources=PAID, task=task, strategies=QUICKLY, **generate), seeds=0)
    for number in range(count):
        seed = SEEDS[task]
        one = Sample(
            sample_id=f"s{number}",
            content_hash=f"s{number}",
            task=task,
            turns=seed.turns,
            label=seed.label,
            answer=seed.answer,
            tests=seed.tests,
            tags={"domain": "d"},
            lineage=seed.lineage,
        )
        world.send("seed", one.sample_id, SampleIngested(event_id="", occurred_at=0, pool="seed", sample=one))
    world.now += 6_000
    return world


def run(world: World, stage: Generator) -> None:
    while stage.step() + world.verify():
        pass


def test_each_strategy_comes_in_and_its_samples_say_which_and_as_whom() -> None:
    world, vendor = world_of("code", target=60), Scripted(obedient)
    stage = world.slot({"a": vendor})
    stage.start()
    run(world, stage)
    by_strategy: dict[str, list[Sample]] = {}
    for event in world.made():
        assert event.sample.lineage.source is not None
        assert event.sample.lineage.source.persona
        by_strategy.setdefault(event.sample.lineage.source.strategy, []).append(event.sample)
    assert set(by_strategy) == {"answer", "rephrase", "new_prompt"}
    assert len({each.lineage.source.prompt_hash for some in by_strategy.values() for each in some}) == 3
    seed = SEEDS["code"]
    for one in by_strategy["answer"]:
        assert (one.turns[0], one.tests, one.tags) == (seed.turns[0], seed.tests, {"domain": "d"})
    assert all(one.tests == seed.tests and one.turns[0] != seed.turns[0] for one in by_strategy["rephrase"])
    assert all(one.tests.startswith("tests of call") for one in by_strategy["new_prompt"])
    assert len({one.content_hash for some in by_strategy.values() for one in some}) == 60


def test_an_answer_that_is_stored_becomes_its_sample_without_the_seed_and_the_recipe_that_asked() -> None:
    world = world_of("math", target=12)
    first = world.slot({"a": Scripted(obedient)})
    first.start()
    first._emit = lambda: 0  # type: ignore[method-assign]
    first.step()
    world.bury(first)
    stored = len([each for each in world.responses() if each.choices])
    assert stored
    assert not world.made()
    later = Scripted(obedient)
    world.recipe = recipe(sources=PAID, task="math", target=12, personas="none")
    second = world.slot({"a": later})
    second._state.pool.settle = lambda now: False  # type: ignore[method-assign]
    second.start()
    second.step()
    samples = [event.sample for event in world.made()]
    assert len(samples) == stored
    assert not later.bought
    assert all(one.answer == "7" for one in samples)


@settings(max_examples=10)
@given(st.sampled_from(["chat", "classification", "math", "code"]), st.sampled_from(["", "Sorry.", "<prompt>a", "{}"]))
def test_what_can_not_be_read_is_a_candidate_that_format_rejects_saying_so(task: str, answer: str) -> None:
    world = world_of(task, target=30)
    stage = world.slot({"a": Scripted(lambda request: answer if request.schema else "x y z")})
    stage.start()
    run(world, stage)
    unread = [event.sample for event in world.made() if UNREAD in event.sample.tags]
    asked = [each for each in world.responses() if each.choices and each.choices[0].text == answer]
    assert len(unread) == len(asked) > 0
    verdicts = Format(3, 100, None).over(Batch(unread, shape(0.8)))
    assert all(verdict.outcome == "fail" for verdict in verdicts)
    assert all("The model's answer can't be read: it has" in verdict.explanation for verdict in verdicts)
