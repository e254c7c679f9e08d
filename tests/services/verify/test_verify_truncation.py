from dataclasses import replace

import planted_cuts as plant
import pytest
from human_texts import dialogues, documents, glosses
from planting import Plant, caught, failed, with_turns
from verify_world import batch, human

from services.index.ids import pack
from services.verify.checks.truncation import Truncation
from services.verify.seeds import Seeds
from streams.samples import Sample


def seeds_of(samples: list[Sample]) -> Seeds:
    seeds = Seeds()
    seeds.add(pack([one.sample_id.encode() for one in samples]), batch(*samples))
    return seeds


CHECK = Truncation(Seeds())


@pytest.fixture(scope="module")
def taught() -> Truncation:
    return Truncation(seeds_of(dialogues()[::10]))


@pytest.mark.parametrize("fault", [plant.cut_prose, plant.cut_code, plant.cut_list, plant.cut_phrase])
def test_nearly_all_planted_cuts_fail_where_the_seeds_end_their_sentences(taught: Truncation, fault: Plant) -> None:
    assert caught(taught, fault, documents()[:400]) >= 0.95


@pytest.mark.parametrize("fault", [plant.cut_code, plant.cut_list, plant.cut_phrase])
def test_nearly_all_planted_cuts_but_those_of_prose_fail_without_seeds_too(fault: Plant) -> None:
    assert caught(CHECK, fault, documents()[:400]) >= 0.95


@pytest.mark.parametrize("texts", [documents, dialogues, glosses])
def test_at_most_one_human_text_in_a_thousand_fails(taught: Truncation, texts: "type[list[Sample]]") -> None:
    assert failed(taught, texts()) <= 0.001 * len(texts())


def test_a_missing_full_stop_counts_only_where_the_seeds_have_theirs() -> None:
    sloppy = [answer(f"It is {n} miles to York. It is late. Take the road by the mill") for n in range(400)]
    strict = [answer(f"It is {n} miles to York. It is late. Take the road by the mill.") for n in range(400)]
    one = [answer("He came home. It was dark. Then he went to the garden and be")]
    assert failed(Truncation(seeds_of(strict)), one) == 1
    assert failed(Truncation(seeds_of(strict[:299])), one) == 0
    assert failed(Truncation(seeds_of([*sloppy[:2], *strict])), one) == 0


def answer(text: str, task: str = "chat") -> Sample:
    return replace(with_turns(human("x"), ("user", "Why?"), ("assistant", text)), task=task)


@pytest.mark.parametrize(
    "one",
    [
        answer("Because."),
        answer("Paris"),
        answer("a large brown bird of the marshes of Norfolk"),
        answer("Three things are needed:\n\n1. Milk\n2. Flour\n3. Two eggs"),
        answer("Do this. Then that.\n\n```sh\nmake all\n```"),
        answer('He said: "So be it." And he left (at last).'),
        answer("Dear Anna,\n\nall is well here. Come soon.\n\nYours truly,\nBen"),
        answer("First add 2 and 3. Then double it. The result is x = 10", task="math"),
        answer("def f(a, b):\n    return a, b,", task="code"),
        answer("It is done. 🙂 See https://example.com/a_b"),
        human("He came to the house. Then, in the dark, the"),
    ],
)
def test_whole_answers_and_pieces_of_documents_pass(taught: Truncation, one: Sample) -> None:
    assert taught.over(batch(one))[0].explanation == ""


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("Like this:\n\n```python\nx = 1", "a block of code that is open"),
        ("1. Eat well.\n2. Sleep.\n3.", "an item of a list that has only begun"),
        ("He came to the house, and then,", "a comma"),
        ("He came to the house of the", "a word that is never the last"),
        ("He came (as I told you", "a bracket or a quotation that is open"),
        (
            "He came home. It was dark. Then he went to the garden and be",
            "a sentence without an end after others that have one",
        ),
    ],
)
def test_each_kind_of_cut_is_told(taught: Truncation, text: str, why: str) -> None:
    (verdict,) = taught.over(batch(answer(text)))
    assert verdict.evidence == {"end": text[-40:], "why": why}
    assert verdict.explanation == f"The last turn stops in the middle: it ends on {why}."
