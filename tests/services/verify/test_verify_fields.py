import random
from dataclasses import replace

import planted_damage as plant
import pytest
from human_texts import dialogues, documents, glosses
from planting import Plant, caught, failed, with_turns
from verify_world import batch, human, sample

from services.verify.checks.format import Format
from streams.samples import Sample

CHECK = Format(0, 4_000, None)


@pytest.mark.parametrize("fault", [plant.mojibake, plant.replaced, plant.surrogate, plant.flood])
def test_nearly_all_damaged_texts_fail(fault: Plant) -> None:
    assert caught(CHECK, fault, documents()[:400]) >= 0.95


def test_all_samples_without_what_their_task_needs_fail() -> None:
    rng = random.Random(1)
    assert failed(CHECK, [plant.incomplete(one, rng) for one in documents()[:400]]) == 400


@pytest.mark.parametrize("texts", [documents, dialogues, glosses])
def test_at_most_one_human_text_in_a_thousand_fails(texts: "type[list[Sample]]") -> None:
    assert failed(CHECK, texts()) <= 0.001 * len(texts())


@pytest.mark.parametrize(
    "text",
    [
        "Não, ÃO, MAÇÃ» e pão; «là»… “là…” CAFÉ»",
        "Tiếng Việt: ngữ, ệ, ớ; e\u0301\u0323 and a\u0308\u0304\u0301",
        "Ça va? Où — là… 20 °C, £5, ©, ½, ‘so’, Ångström, Łódź, Đà Nẵng",
        "שָׁלוֹם हिन्दी ภาษาไทย привет Ñandú Ðe Ïle Îles",
    ],
)
def test_letters_of_many_languages_pass(text: str) -> None:
    assert CHECK.over(batch(sample("a", text)))[0].explanation == ""


@pytest.mark.parametrize(
    ("text", "damage", "explanation"),
    [
        ("so cafÃ© it", "mojibake", "Turn 0 holds text that was read in another encoding than it was written in "),
        ("so itâ€™s me", "mojibake", "Turn 0 holds text that was read in another encoding than it was written in "),
        ("so caf\ufffd", "replacement", "Turn 0 holds the sign for a character that was lost at character "),
        ("so \udc80", "surrogate", "Turn 0 holds half of a character at character "),
        ("so a" + "\u0301" * 4, "marks", "Turn 0 holds a letter under four marks or more at character "),
    ],
)
def test_damage_is_told_with_its_place(text: str, damage: str, explanation: str) -> None:
    (verdict,) = CHECK.over(batch(sample("a", text)))
    assert (verdict.outcome, verdict.evidence["damage"]) == ("fail", damage)
    assert verdict.explanation.startswith(explanation)
    assert int(verdict.evidence["place"]) > 2


def of(task: str, *roles: str, label: str | None = None, answer: str | None = None) -> Sample:
    return replace(
        with_turns(human("x"), *((role, "So it is.") for role in roles)), task=task, label=label, answer=answer
    )


@pytest.mark.parametrize(
    "one",
    [
        of("chat", "system", "user", "assistant"),
        of("instruction", "user", "assistant"),
        of("classification", "document", label="ham"),
        of("math", "user", answer="42"),
        of("math", "user", "assistant"),
        of("text", "document"),
        of("poetry", "assistant"),
    ],
)
def test_what_has_all_that_its_task_needs_passes(one: Sample) -> None:
    assert failed(CHECK, [one]) == 0


@pytest.mark.parametrize(
    ("one", "field", "explanation"),
    [
        (of("chat", "user"), "role", "The last turn is no assistant's, which the task chat needs."),
        (
            of("instruction", "assistant"),
            "role",
            "The last turn answers no user's turn, which the task instruction needs.",
        ),
        (
            of("chat", "user", "system", "assistant"),
            "role",
            "The last turn answers no user's turn, which the task chat needs.",
        ),
        (
            of("classification", "document", label=" "),
            "label",
            "The sample has no label, which the task classification needs.",
        ),
        (
            of("math", "user", answer=""),
            "answer",
            "The sample has neither an answer nor an assistant's last turn to hold one, which the task math needs.",
        ),
    ],
)
def test_what_a_task_needs_is_told(one: Sample, field: str, explanation: str) -> None:
    (verdict,) = CHECK.over(batch(one))
    assert verdict.evidence == {"field": field, "task": one.task}
    assert verdict.explanation == explanation
