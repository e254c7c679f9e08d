"""How an answer becomes a sample: what it says, what the seed gives, and what can't be read."""

import json
from typing import Any

import pytest
from asked import SEEDS, seed
from hypothesis import given
from hypothesis import strategies as st

from services.generate.content import content_of, read
from services.generate.form import form_of, schema_of, told
from services.generate.prompts.templates import STRATEGIES, TASKS
from streams.parts import Content
from streams.samples import Strategy, Turn

FORMS = sorted({form_of(task, strategy) for task in TASKS for strategy in STRATEGIES} - {(), ("turns",)})
WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="<>"), min_size=1).filter(str.strip)


def made(task: str, strategy: Strategy, answer: str, **changes: Any) -> Content:
    one = SEEDS[task] if not changes else seed(task, *((t.role, t.text) for t in SEEDS[task].turns), **changes)
    return read(task, strategy, content_of(one), answer)


def said(content: Content) -> list[tuple[str, str]]:
    return [(turn.role, turn.text) for turn in content.turns]


def tags(**parts: str) -> str:
    return "\n".join(f"<{part}>\n{text}\n</{part}>" for part, text in parts.items())


def test_an_answer_takes_the_place_of_the_seeds_own() -> None:
    assert said(made("chat", "answer", " Buy some. \n")) == [
        ("user", "My bread does not rise."),
        ("assistant", "How old is the yeast?"),
        ("user", "Two years."),
        ("assistant", "Buy some."),
    ]
    assert said(made("instruction", "answer", "Rhine")) == [
        ("system", "Be kind."),
        ("user", "Name three rivers."),
        ("assistant", "Rhine"),
    ]


def test_a_seed_that_waits_for_an_answer_gets_one() -> None:
    open_ended = content_of(seed("chat", ("user", "a"), ("assistant", "b"), ("user", "c")))
    assert said(read("chat", "answer", open_ended, "d"))[2:] == [("user", "c"), ("assistant", "d")]


def test_answer_and_tests_of_the_seed_travel_with_an_answer_and_with_a_rephrased_prompt() -> None:
    solved = made("math", "answer", "7\n#### 7")
    assert (solved.answer, said(solved)[-1]) == ("7", ("assistant", "7\n#### 7"))
    program = made("code", "rephrase", tags(prompt="Add up.", response="def add(a, b): return a + b"))
    assert program.tests == SEEDS["code"].tests
    assert said(program) == [("user", "Add up."), ("assistant", "def add(a, b): return a + b")]
    again = made("math", "rephrase", tags(prompt="3 + 4?", response="#### 7"))
    assert again.answer == "7"


def test_a_rephrased_turn_keeps_what_was_said_before_it() -> None:
    assert said(made("chat", "rephrase", tags(prompt="It is 2 years old.", response="Too old."))) == [
        ("user", "My bread does not rise."),
        ("assistant", "How old is the yeast?"),
        ("user", "It is 2 years old."),
        ("assistant", "Too old."),
    ]


def test_a_solution_of_the_seeds_own_says_what_the_reference_answer_is() -> None:
    assert content_of(seed("math", ("user", "1 + 1?"), ("assistant", "It is\n#### 2\nDone."))).answer == "2"
    assert content_of(seed("math", ("user", "1 + 1?"), ("assistant", "#### 2"), answer="two")).answer == "two"
    assert content_of(seed("math", ("user", "#### 2"))).answer is None
    assert content_of(seed("math", ("user", "1?"), ("assistant", "It is 2"))).answer is None


def test_a_new_prompt_brings_its_own_answer_or_tests_and_nothing_of_the_seed_but_its_system_turn() -> None:
    problem = made("math", "new_prompt", tags(prompt="2 + 2?", response="#### 4", answer="4"))
    assert (said(problem), problem.answer) == ([("user", "2 + 2?"), ("assistant", "#### 4")], "4")
    program = made("code", "new_prompt", tags(prompt="p", response="r", tests="```python\nassert f()\n```"))
    assert program.tests == "assert f()"
    ruled = made("instruction", "new_prompt", tags(prompt="p", response="r"), label="x")
    assert (said(ruled)[0], ruled.label, len(ruled.turns)) == (("system", "Be kind."), None, 3)


def test_a_text_is_the_answer_and_keeps_the_label_unless_it_brings_one() -> None:
    assert made("text", "answer", " It is so. ") == Content(turns=(Turn(role="document", text="It is so."),))
    kept = made("classification", "rephrase", "Cold soup, rude waiter.")
    assert (said(kept), kept.label) == ([("document", "Cold soup, rude waiter.")], "complaint")
    new = made("classification", "answer", tags(text="Great!", label="praise"))
    assert (said(new), new.label) == ([("document", "Great!")], "praise")


def test_a_conversation_is_read_from_tags_and_from_json() -> None:
    turns = [("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d")]
    tagged = "Sure:\n" + "\n".join(f"<{role}>\n{text}\n</{role}>" for role, text in turns)
    as_json = json.dumps({"turns": [{"role": role, "text": text} for role, text in turns]})
    assert said(made("chat", "new_prompt", tagged)) == said(made("chat", "new_prompt", as_json)) == turns


@given(st.sampled_from(FORMS), st.data())
def test_what_was_asked_for_is_read_back_from_tags_and_from_json(form: tuple[str, ...], data: st.DataObject) -> None:
    parts = {part: data.draw(WORDS) for part in form}
    stripped = {part: text.strip() for part, text in parts.items()}
    assert told(tags(**parts), form).parts == stripped
    assert told(json.dumps(parts), form).parts == stripped
    assert told(f"```json\n{json.dumps(parts)}\n```", form).parts == stripped
    assert list(schema_of(form)["properties"]) == schema_of(form)["required"] == list(form)


@pytest.mark.parametrize(
    ("form", "answer", "why"),
    [
        (("prompt", "response"), "I can't do that.", "no part `prompt`"),
        (("prompt", "response"), "<prompt>a</prompt>", "no part `response`"),
        (("prompt", "response"), "<prompt>a</prompt><response>b", "no part `response`"),
        (("prompt", "response"), "<prompt>a<response>b</response>", "no part `prompt`"),
        (("prompt", "response"), "<response>b</response><prompt>a</prompt>", "no part"),
        (("prompt", "response"), "<prompt> </prompt><response>b</response>", "`prompt` is no text"),
        (("prompt", "response"), '{"prompt": "a"}', "no part `response`"),
        (("prompt", "response"), '{"prompt": "a", "response": 3}', "`response` is no text"),
        (("prompt", "response"), '{"prompt": "a", "prompt": "b", "response": "c"}', "a key twice"),
        (("prompt", "response"), '{"prompt": "a", ', "Expecting"),
        (("prompt", "response"), '{"a":' * 100_000, "nested too deeply"),
        (("turns",), "<user>a</user><assistant>b</assistant>", "2 turns"),
        (("turns",), "<user>a</user>", "1 turns"),
        (("turns",), '{"turns": "abcd"}', "0 turns"),
        (("turns",), json.dumps({"turns": [{"role": "user", "text": "a"}] * 4}), "turn 1 is no text of the assistant"),
        (("turns",), "<user>a</user><assistant> </assistant>" * 2, "turn 1 is no text"),
    ],
)
def test_what_lacks_a_part_can_not_be_read_and_says_which(form: tuple[str, ...], answer: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        told(answer, form)


@given(st.sampled_from(TASKS), st.sampled_from(STRATEGIES), st.text(st.sampled_from('<>/{}"`prompt usertxan\n')))
def test_nothing_that_a_model_says_raises_anything_else(task: str, strategy: Strategy, answer: str) -> None:
    try:
        content = made(task, strategy, answer)
    except ValueError as error:
        assert str(error)  # noqa: PT017 - both ends are right
    else:
        assert content.turns
