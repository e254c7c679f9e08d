"""What is asked: golden prompts, seeds that mean harm, and a recipe's own templates."""

from pathlib import Path
from typing import Any

import pytest
from asked import GOLDEN, PERSONA, SEEDS, golden, prompt, seed
from generate_world import recipe
from hypothesis import given
from hypothesis import strategies as st

from services.generate.content import content_of
from services.generate.plan import Call, plan
from services.generate.prompts.shown import parts_of
from services.generate.prompts.templates import STRATEGIES, TASKS, Templates, file_of, templates_of
from services.models.marked import Part
from services.models.provider import Model
from services.recipe import RecipeError
from streams.samples import Sample

MODEL = Model("m-1", 0)


def paid(**fields: Any) -> dict[str, Any]:
    return {"name": "a", "provider": "openai", "model": "m-1", "family": "f", **fields}


def call(task: str, call_index: int = 0, one: Sample | None = None, source: Any = None, **generate: Any) -> Call:
    settings = recipe(sources=[source or paid()], task=task, **generate)
    start = one or SEEDS[task]
    templates = templates_of(settings)
    return plan(call_index, settings, settings.sources[0], MODEL, start, pool=1, templates=templates)


def test_a_change_of_a_prompt_shows() -> None:
    found = {path.name: path.read_text("utf-8") for path in GOLDEN.glob("*.txt")}
    assert found == golden(), "write them anew as asked.py says, and look at the difference"


@pytest.mark.parametrize("task", TASKS)
def test_no_prompt_gives_away_what_is_to_be_found_out(task: str) -> None:
    secret = seed(task, ("user", "What is it?"), ("assistant", "It is #### 4711."), answer="4711", tests="assert 4711")
    for strategy in ("answer", "rephrase"):
        shown = parts_of(secret, content_of(secret), strategy)
        assert task in ("text", "classification") or not any("4711" in part.text for part in shown)
    assert any("4711" in part.text for part in parts_of(secret, content_of(secret), "new_prompt"))


@given(st.lists(st.text(), min_size=1), st.sampled_from(TASKS), st.sampled_from(STRATEGIES))
def test_no_text_can_hold_the_mark_that_ends_it_nor_get_into_the_rules(
    texts: list[str], task: str, strategy: Any
) -> None:
    rules, shown = TEMPLATES[task].fill(strategy, [Part("t", each) for each in texts], {}, 5, structured=False)
    mark = rules.text.partition("<part-")[2][:32]
    assert shown.text.count(f"</part-{mark}>") == len(texts)
    assert (rules.role, shown.role) == ("system", "user")
    assert rules.text.replace(mark, "M") == PLAIN[task, strategy]


TEMPLATES = {task: Templates(task, None, {}) for task in TASKS}
PLAIN = {
    (task, strategy): rules.replace(rules.partition("<part-")[2][:32], "M")
    for task in TASKS
    for strategy in STRATEGIES
    for rules in [TEMPLATES[task].fill(strategy, [Part("t", "x")], {}, 5, structured=False)[0].text]
}


def test_the_persona_is_told_to_the_model_and_written_down() -> None:
    one = call("instruction", personas={"style": ["dry"], "perspective": ["a nurse"]})
    assert one.persona == "style=dry,perspective=a nurse"
    assert "- style: dry\n- perspective: a nurse" in one.request.prompt[0].text
    silent = call("instruction", personas="none")
    assert silent.persona is None
    assert "style" not in silent.request.prompt[0].text
    assert call("chat", 3).persona != call("chat", 4).persona


def test_a_vendor_is_given_a_schema_where_there_are_parts_and_other_servers_are_asked_for_tags() -> None:
    vendor = call("math", 1_000)
    assert vendor.strategy == "new_prompt"
    assert vendor.request.schema is not None
    assert list(vendor.request.schema["properties"]) == ["prompt", "response", "answer"]
    assert "JSON" in vendor.request.prompt[0].text
    server = call("math", 1_000, source=paid(base_url="http://127.0.0.1:1/v1"))
    assert server.request.schema is None
    assert "<response>" in server.request.prompt[0].text
    assert vendor.prompt_hash != server.prompt_hash
    assert call("math").request.schema is None


def test_settings_of_the_source_reach_the_request() -> None:
    request = call("chat", source=paid(top_p=0.9, max_tokens=500, temperature=0.25)).request
    assert (request.top_p, request.max_tokens, request.temperature) == (0.9, 500, 0.25)
    plain = call("chat").request
    assert (plain.top_p, plain.max_tokens) == (None, 12)
    assert call("chat", source=paid(top_p=0.9)).request.request_key != plain.request_key


def test_a_prompt_hash_names_templates_and_personas_and_no_seed() -> None:
    other = seed("chat", ("user", "What is yeast?"))
    assert call("chat").prompt_hash == call("chat", one=other).prompt_hash == call("chat", 1).prompt_hash
    others = [call("chat", personas="none"), call("chat", 1_000), call("instruction")]
    assert len({call("chat").prompt_hash, *(each.prompt_hash for each in others)}) == 4


def own(folder: Path, **texts: str) -> Path:
    for strategy in STRATEGIES:
        text = texts.get(strategy, "Between {{ mark }}: do it.\n")
        (folder / file_of("poems", strategy)).write_text(text, encoding="utf-8")
    return folder


def test_a_recipe_may_have_prompts_of_its_own_for_a_task_of_its_own(tmp_path: Path) -> None:
    poem = seed("poems", ("user", "Write about a rose."))
    folder = own(tmp_path, answer='{% include "marks.jinja" %}{{ persona.style }} in {{ words }} words')
    one = call("poems", one=poem, prompts=str(folder), personas={"style": ["dry"]})
    assert one.request.prompt[0].text.endswith("dry in 4 words")
    before = one.prompt_hash
    own(tmp_path, answer="{{ mark }}")
    assert call("poems", one=poem, prompts=str(folder), personas={"style": ["dry"]}).prompt_hash != before


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ("{{ wrods }}", "poems_answer.jinja uses `wrods`, which no template is given; did you mean `words`?"),
        ("{{ seed }}", "uses `seed`, which no template is given; they are mark, persona"),
        ("{% if %}", "poems_answer.jinja is no Jinja in line 1"),
        ('{% include "other.jinja" %}', "includes other.jinja; only marks, persona, form, seed can be included"),
        ("{% include persona %}", "includes None"),
        ("{{ persona.mood }}", "poems_answer.jinja can't be filled"),
        ("{{ words / 0 }}", "poems_answer.jinja can't be filled"),
        ("{{ words.__class__.__mro__ }}", "poems_answer.jinja can't be filled"),
        ("{{ persona.update({}) }}", "poems_answer.jinja can't be filled"),
        ("{{ nothing() }}", "uses `nothing`"),
    ],
)
def test_a_template_that_can_not_be_filled_is_told_before_anything_is_asked(
    tmp_path: Path, answer: str, told: str
) -> None:
    with pytest.raises(RecipeError) as error:
        Templates("poems", own(tmp_path, answer=answer), {"style": "dry"})
    assert told in str(error.value)


def test_a_missing_template_is_told_with_all_names_that_are_needed(tmp_path: Path) -> None:
    (own(tmp_path) / "poems_rephrase.jinja").unlink()
    with pytest.raises(RecipeError, match=r"poems_rephrase.jinja can't be read; the folder needs poems_answer.jinja, "):
        Templates("poems", tmp_path, {})
    with pytest.raises(RecipeError, match=r"Task poems has no prompts of ours; give a folder with poems_answer.jinja"):
        Templates("poems", None, {})
    local = {"name": "a", "provider": "local", "family": "a"}
    assert templates_of(recipe(task="poems", sources=[local])) is None


def test_a_golden_prompt_has_its_persona() -> None:
    assert all(value in prompt("text", "answer", persona=PERSONA)[0].text for value in PERSONA.values())
