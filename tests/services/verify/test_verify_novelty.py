"""New prompts against all prompts so far: known ones, those of one batch, and what is none."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from verify_world import CODEC, SHAPE, batch, context, drain, events, put, recipe, text, world

from services.index.texts import Texts
from services.recipe import Recipe, parse
from services.verify.checks.novelty import Novelty
from services.verify.chosen import checks
from services.verify.known import Known
from services.verify.prompts import asks_anew, entries, prompt_of
from services.verify.service import build
from streams.samples import Lineage, Sample, Source, Strategy, Turn, digest


def asked(key: object, prompt: str, answer: str, strategy: Strategy | None = "new_prompt") -> Sample:
    turns = (Turn(role="user", text=prompt), Turn(role="assistant", text=answer))
    source = strategy and Source(
        name="a", provider="openai", model_id="m", family="f", model_generation=0, strategy=strategy,
        prompt_hash="", request_key="", call_index=0,
    )  # fmt: skip
    lineage = Lineage(origin="SYNTHETIC" if source else "HUMAN", generation=int(bool(source)), source=source or None)
    return Sample(
        sample_id=digest(str(key)),
        content_hash=digest(prompt, answer),
        task="instruction",
        turns=turns,
        lineage=lineage,
    )


def paid(**verify: Any) -> Recipe:
    told = recipe("instruction", **{"checks": ["novelty"], **verify}).model_dump(exclude_unset=True)
    return parse({**told, "sources": [{"name": "a", "provider": "openai", "model": "m", "family": "f"}]}, "test")


def rejected(broker: Any) -> dict[str, tuple[str, ...]]:
    return {event.sample.sample_id: event.reasons for event in events(broker, "reject")}


def test_a_new_prompt_that_a_seed_has_is_rejected_with_the_seeds_id_whatever_its_answer() -> None:
    broker, seed = world(), asked("seed", text(1), "yes", None)
    put(broker, "seed", [seed])
    put(broker, "generate", [asked("copy", text(1), text(2)), asked("new", text(3), text(2))])
    drain(broker, paid())
    assert rejected(broker) == {digest("copy"): ("novelty",)}
    (verdict,) = events(broker, "reject")[0].verdicts
    assert verdict.evidence == {"sample_id": seed.sample_id, "similarity": "1.000"}


@pytest.mark.parametrize("strategy", ["answer", "rephrase"])
def test_what_is_not_said_to_be_new_may_be_known(strategy: Strategy) -> None:
    broker = world()
    put(broker, "seed", [asked("seed", text(1), "yes", None)])
    put(broker, "generate", [asked("again", text(1), text(2), strategy)])
    drain(broker, paid())
    assert not rejected(broker)


def test_of_two_like_prompts_of_one_batch_and_of_two_batches_the_second_is_rejected() -> None:
    broker, near = world(), text(1).replace(text(1).split()[40], "other")
    verifier = drain(broker, paid())
    put(broker, "generate", [asked("one", text(1), text(2)), asked("two", near, text(3))])
    while verifier.step():
        pass
    assert rejected(broker) == {digest("two"): ("novelty",)}
    put(broker, "generate", [asked("three", near, text(4)), asked("four", text(5), text(6), "rephrase")])
    put(broker, "generate", [asked("five", text(5), text(7))])
    while verifier.step():
        pass
    assert set(rejected(broker)) >= {digest("two"), digest("three")}
    later = drain(broker, paid())
    put(broker, "generate", [asked("six", text(5), text(8))])
    while later.step():
        pass
    assert rejected(broker)[digest("six")] == ("novelty",)


def test_a_rejected_prompt_is_not_remembered() -> None:
    broker = world()
    strict = paid(checks=["novelty", "format"], min_words=100)
    put(broker, "generate", [asked("short", text(1), "no")])
    verifier = drain(broker, strict)
    put(broker, "generate", [asked("long", text(1), text(2))])
    while verifier.step():
        pass
    assert rejected(broker) == {digest("short"): ("format",)}


@given(st.floats(0, 1), st.integers(0, 40))
def test_the_threshold_is_the_recipes(threshold: float, changed: int) -> None:
    words = text(1).split()
    known = Texts(SHAPE)
    known.add(entries([asked("known", text(1), "a")], SHAPE))
    one = asked("one", " ".join(["new"] * changed + words[changed:]), "b")
    (verdict,) = Novelty(known, threshold).over(batch(one))
    nearest = known.nearest(entries([one], SHAPE))[0]
    assert (verdict.outcome == "fail") == (nearest is not None and nearest.similarity >= threshold)


def test_the_prompt_is_all_before_the_answer_but_what_the_system_and_documents_say() -> None:
    one = asked("one", "question", "answer")
    with_rules = replace(one, turns=(Turn(role="system", text="rules"), *one.turns))
    assert prompt_of(one) == prompt_of(with_rules) == prompt_of(replace(one, turns=one.turns[:1])) == "question"
    document = replace(one, turns=(Turn(role="document", text="a text"),))
    assert (prompt_of(document), asks_anew(document)) == ("", False)
    assert [asks_anew(asked("x", "p", "a", each)) for each in ("answer", "rephrase", "new_prompt", None)] == [
        False,
        True,
        True,
        True,
    ]


def test_it_costs_nothing_where_no_new_prompts_are_asked_for() -> None:
    assert Known(CODEC, "p", SHAPE).prompts is None
    local = [check.name for check in checks(recipe(), Known(CODEC, "p", SHAPE)).quick]
    assert "novelty" not in local
    assert "novelty" in [check.name for check in checks(paid(), Known(CODEC, "p", SHAPE, prompts=True)).quick]
    build(context(world(), recipe("instruction")))
