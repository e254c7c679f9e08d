import pytest
from planted_marks import HUMAN, MARKED
from stats_texts import documents

from services.faults.model_marks import model_mark
from streams.samples import Lineage, Sample, Turn


def said(*turns: tuple[str, str]) -> Sample:
    return Sample(
        sample_id="s",
        content_hash="c",
        task="text",
        turns=tuple(Turn(role=role, text=text) for role, text in turns),
        lineage=Lineage(origin="HUMAN", generation=0),
    )


def human(text: str) -> Sample:
    return said(("document", text))


PLANTED = [(kind, text) for kind, texts in MARKED.items() for text in texts]


@pytest.mark.parametrize(("kind", "text"), PLANTED)
def test_a_text_that_was_pasted_from_a_model_bears_its_mark(kind: str, text: str) -> None:
    fault = model_mark(human(text))
    assert fault is not None
    assert fault.evidence["kind"] == kind
    assert "Turn 0 holds" in fault.explanation


@pytest.mark.parametrize("text", HUMAN)
def test_what_people_say_of_models_and_in_their_words_bears_none(text: str) -> None:
    assert model_mark(human(text)) is None


def test_no_document_of_the_plays_bears_one() -> None:
    assert len(documents()) > 10_000
    assert [text for text in documents() if model_mark(human(text))] == []


def test_a_user_may_speak_to_a_model_of_what_it_is_but_not_paste_from_its_interface() -> None:
    asked = said(("user", "As an AI language model, I want you to be brief."), ("assistant", "Yes."))
    assert model_mark(asked) is None
    pasted = said(("user", MARKED["interface"][0]), ("assistant", "Two valves."))
    assert model_mark(pasted) is not None


def test_the_place_is_that_of_the_mark() -> None:
    text = "First a line.\nThen a link: https://example.org/?utm_source=chatgpt.com"
    fault = model_mark(human(text))
    assert fault is not None
    assert text[int(fault.evidence["place"]) :].startswith("?utm_source")


def test_a_long_text_may_use_five_of_the_words() -> None:
    words = "pivotal realm tapestry vibrant meticulous"
    assert model_mark(human(f"{words} {'and the sea was calm ' * 60}")) is None
    assert model_mark(human(f"{words} {'and the sea was calm ' * 20}")) is not None
