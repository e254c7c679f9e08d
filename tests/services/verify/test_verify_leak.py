from dataclasses import replace

import planted_leaks as plant
import pytest
from human_texts import dialogues, documents, glosses
from planting import Plant, caught, failed, with_turns
from verify_world import batch, human, sample

from services.verify.checks.leak import Leak
from streams.samples import Sample

CHECK = Leak(is_json=False)


@pytest.mark.parametrize("fault", [plant.control, plant.instruction, plant.placeholder, plant.envelope])
def test_nearly_all_planted_leaks_fail(fault: Plant) -> None:
    assert caught(CHECK, fault, documents()[:400]) >= 0.95


@pytest.mark.parametrize("texts", [documents, dialogues, glosses])
def test_at_most_one_human_text_in_a_thousand_fails(texts: "type[list[Sample]]") -> None:
    assert failed(CHECK, texts()) <= 0.001 * len(texts())


def chat(ask: str, answer: str, task: str = "chat") -> Sample:
    return replace(with_turns(human("x"), ("user", ask), ("assistant", answer)), task=task)


@pytest.mark.parametrize(
    "one",
    [
        chat("You are a helpful assistant. Rewrite the following text: {{text}}", "So be it."),
        chat("Give it to me as JSON.", '{"answer": "So be it."}'),
        chat("How do I loop in Jinja?", "Like this: `{{ item.name }}`, or\n```\n{{ text }}\n```\nThat is all."),
        chat("Write a dict.", '{"text": "{topic}"}', task="code"),
        sample("a", "You are a fool, and your task is done. As a man with a limp he came, following the text below."),
        sample("b", "If a < b and b > c, then <b>so</b> it is [see 1]; #1 of 3, <s>old</s> new."),
        sample("c", "Continue as you were. Rewrite the following chapter when you are sober, said he."),
    ],
)
def test_what_was_asked_for_and_what_people_write_pass(one: Sample) -> None:
    assert CHECK.over(batch(one))[0].explanation == ""


def test_where_json_is_wanted_no_envelope_is_a_leak() -> None:
    one = chat("How old?", '{"answer": 7}')
    assert failed(CHECK, [one]) == 1
    assert failed(Leak(is_json=True), [one]) == 0


def test_a_control_token_is_named_with_its_place_whichever_turn_it_stands_in() -> None:
    (verdict,) = CHECK.over(batch(chat("Who goes there?<|im_end|>", "A friend.")))
    assert verdict.evidence == {"kind": "control token", "turn": "0", "place": "15", "text": "<|im_end|>"}
    assert verdict.explanation == "Turn 0 holds a chat template's control token at character 15."


def test_an_instruction_is_told_with_its_place() -> None:
    (verdict,) = CHECK.over(batch(chat("Hm?", "He left.\nOutput only the text.")))
    assert verdict.evidence == {"kind": "instruction", "place": "9", "text": "Output only the text"}
    assert verdict.explanation == "The last turn holds an instruction of the prompt at character 9."
