from typing import Any

import pytest
from ingest_world import recipe

from services.ingest.admission import LARGEST, admit, terms
from services.ingest.errors import IngestError, UnfitError
from services.ingest.rows import Row
from streams.samples import Sample, Turn, content_hash


def sample(values: dict[str, Any], task: str = "text", domain: str | None = None, **seeds: Any) -> Sample:
    return admit(Row("books.jsonl", 3, values), domain, terms(recipe("unused", task=task, **seeds)))


def said(given: Sample) -> list[tuple[str, str]]:
    return [(turn.role, turn.text) for turn in given.turns]


def test_a_text_is_one_turn_of_a_document_named_by_its_content() -> None:
    made = sample({"text": " A  tale\r\n"}, domain="drama")
    assert said(made) == [("document", "A  tale")]
    assert made.sample_id == made.content_hash == content_hash("text", [Turn(role="document", text="A  tale")])
    assert made.tags == {"domain": "drama"}
    assert (made.lineage.origin, made.lineage.generation, made.lineage.licence) == ("HUMAN", 0, "CC0")
    assert made.lineage.uri == "books.jsonl#3"
    assert made.lineage.recipe is not None


def test_an_instruction_is_a_user_s_and_an_assistant_s_turn() -> None:
    made = sample(
        {"system": "Be brief.", "q": "Why?", "a": "So."}, "instruction", columns={"prompt": "q", "response": "a"}
    )
    assert said(made) == [("system", "Be brief."), ("user", "Why?"), ("assistant", "So.")]


@pytest.mark.parametrize("key", ["text", "content"])
def test_a_chat_keeps_its_turns(key: str) -> None:
    turns = [{"role": "User", key: "Hi"}, {"role": "assistant", key: "Hello"}]
    made = sample({"turns": turns, "prompt": "not this"}, "chat")
    assert said(made) == [("user", "Hi"), ("assistant", "Hello")]


def test_a_chat_may_be_json_in_a_column() -> None:
    assert said(sample({"turns": '[{"role": "user", "text": "Hi"}]'}, "chat")) == [("user", "Hi")]


def test_a_classified_text_has_its_label_as_text() -> None:
    assert sample({"text": "Nice!", "label": 1}, "classification").label == "1"
    assert sample({"text": "Nice!", "label": True}, "classification").label == "true"


def test_maths_has_its_reference_answer_beside_the_worked_one() -> None:
    made = sample({"prompt": "2+2?", "response": "It is 4.", "answer": 4}, "math")
    assert said(made) == [("user", "2+2?"), ("assistant", "It is 4.")]
    assert made.answer == "4"


def test_code_keeps_its_indentation_and_its_tests() -> None:
    made = sample({"prompt": "def f():", "response": "    return 1\n", "tests": ["assert f()", "assert 1"]}, "code")
    assert said(made)[1] == ("assistant", "    return 1")
    assert made.tests == "assert f()\nassert 1"


def test_columns_of_a_row_win_over_the_recipe_and_the_folder() -> None:
    row = {"text": "a", "domain": "law", "licence": "MIT", "id": 17}
    made = sample(row, domain="folder")
    assert made.tags == {"domain": "law", "id": "17"}
    assert made.lineage.licence == "MIT"


def test_a_column_that_is_declared_for_one_field_serves_no_other() -> None:
    made = sample({"q": "Why?", "answer": "So."}, "instruction", columns={"prompt": "q", "response": "answer"})
    assert made.answer is None


@pytest.mark.parametrize("origin", ["HUMAN_EDITED", "synthetic", "UNKNOWN", "", None])
def test_what_is_not_human_counts_as_the_depth_cap_unless_it_says_its_generation(origin: str | None) -> None:
    made = sample({"text": "a", "origin": origin})
    assert made.lineage.origin == (origin or "UNKNOWN").upper()
    assert made.lineage.generation == 2
    assert sample({"text": "a", "origin": origin, "generation": 1}).lineage.generation == 1


def test_a_candidate_s_id_is_not_that_of_the_same_human_text_but_is_the_same_again() -> None:
    human, candidate = sample({"text": "a"}), sample({"text": "a", "origin": "SYNTHETIC"})
    assert candidate.content_hash == human.content_hash
    assert candidate.sample_id != human.sample_id
    assert candidate.sample_id == sample({"text": "a "}, origin="UNKNOWN").sample_id


@pytest.mark.parametrize(
    ("values", "task", "reason"),
    [
        ({"text": ""}, "text", "no `text`"),
        ({"text": None}, "text", "no `text`"),
        ({}, "text", "no `text`"),
        ({"text": " \n\x00"}, "text", "no text is left after cleaning"),
        ({"text": "All rights reserved."}, "text", "no text is left after cleaning"),
        ({"text": ["a"]}, "text", "`text` is a list"),
        ({"text": "\ud800"}, "text", "no Unicode text"),
        ({"text": "a", "id": "\udcff"}, "text", "no Unicode text"),
        ({"text": "a" * (LARGEST + 1)}, "text", "above 200000; cut it"),
        ({"text": "é" * (LARGEST // 2 + 1)}, "text", "above 200000; cut it"),
        ({"text": "a"}, "classification", "no `label`"),
        ({"prompt": "a"}, "instruction", "no `response` or `turns`"),
        ({"prompt": "a"}, "math", "no `answer` or `response`"),
        ({"turns": []}, "chat", "no list of turns"),
        ({"turns": "x"}, "chat", "no JSON"),
        ({"turns": ["x"]}, "chat", "a turn is no"),
        ({"turns": [{"role": "user"}]}, "chat", "a turn is no"),
        ({"turns": [{"role": " ", "text": "x"}]}, "chat", "a turn is no"),
        ({"text": "a", "origin": "gpt"}, "text", "origin 'GPT' is none of HUMAN"),
        ({"text": "a", "generation": "x"}, "text", "generation 'x' is no number"),
        ({"text": "a", "generation": 1}, "text", "contradict"),
        ({"text": "a", "generation": 0, "origin": "SYNTHETIC"}, "text", "contradict"),
        ({"text": "a", "generation": 10**10, "origin": "SYNTHETIC"}, "text", "is no number"),
    ],
)
def test_a_row_that_is_no_sample_is_told_why(values: dict[str, Any], task: str, reason: str) -> None:
    with pytest.raises(UnfitError, match=reason):
        sample(values, task)


def test_the_largest_sample_is_taken() -> None:
    room = LARGEST - len("document" + "CC0")
    assert len(sample({"text": "a" * room}).turns[0].text) == room
    with pytest.raises(UnfitError, match="200001 bytes"):
        sample({"text": "a" * (room + 1)})


def test_a_task_of_another_name_takes_any_content() -> None:
    assert said(sample({"text": "a"}, "poems")) == [("document", "a")]
    assert said(sample({"prompt": "a"}, "poems")) == [("user", "a")]


def test_a_field_that_no_sample_has_gets_a_suggestion() -> None:
    with pytest.raises(IngestError, match=r"`promt`.*did you mean `prompt`"):
        sample({}, columns={"promt": "x"})
