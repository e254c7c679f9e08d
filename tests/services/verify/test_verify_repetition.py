from dataclasses import replace

import planted_loops as plant
import pytest
from code_world import problems
from human_texts import dialogues, documents, glosses
from hypothesis import given
from hypothesis import strategies as st
from planting import Plant, answering, caught, failed, with_turns
from verify_world import batch, human, sample, text

from services.verify.checks.repetition import Repetition
from streams.samples import Sample

CHECK = Repetition()


@pytest.mark.parametrize("fault", [plant.loop, plant.counted, plant.marks, plant.repeated_turn])
def test_nearly_all_planted_repetitions_fail(fault: Plant) -> None:
    assert caught(CHECK, fault, documents()[:400]) >= 0.95


def test_most_sentences_that_come_again_with_another_name_fail() -> None:
    assert caught(CHECK, plant.varied, documents()[:400]) >= 0.6


@pytest.mark.parametrize("texts", [documents, dialogues, glosses])
def test_at_most_one_human_text_in_a_thousand_fails(texts: "type[list[Sample]]") -> None:
    assert failed(CHECK, texts()) <= 0.001 * len(texts())


@given(st.integers(4, 60), st.integers(4, 9), st.integers(0, 200))
def test_what_ends_on_the_same_words_often_enough_fails_however_it_began(length: int, rounds: int, before: int) -> None:
    said = f"{text(1, before)} {' '.join([text(2, length)] * rounds)}"
    assert failed(CHECK, [sample("a", said)]) == 1


@given(st.integers(0, 10_000), st.integers(1, 400))
def test_words_that_do_not_come_again_pass(seed: int, count: int) -> None:
    assert failed(CHECK, [sample("a", text(seed, count))]) == 0


@pytest.mark.parametrize(
    "one",
    [
        human("Howl, howl, howl, howl! O, you are men of stones: had I your tongues and eyes, I would use them so."),
        human("With hey, ho, the wind and the rain,\nFor the rain it raineth every day. " * 3),
        human("Title\n" + "-" * 40),
        with_turns(human("x"), ("user", "Yes, please."), ("assistant", "Tea?"), ("user", "Yes, please.")),
        with_turns(
            human("x"),
            ("user", f"{text(1, 40)} he go {text(2, 40)}"),
            ("assistant", f"{text(1, 40)} he goes {text(2, 40)}"),
        ),
    ],
)
def test_refrains_short_turns_and_corrections_pass(one: Sample) -> None:
    assert failed(CHECK, [one]) == 0


def test_a_repeated_turn_is_told_with_the_one_that_it_repeats() -> None:
    said = "The road to York goes by the mill and over the bridge."
    one = with_turns(human("x"), ("user", "Where?"), ("assistant", said), ("user", "Hm?"), ("assistant", said.upper()))
    (verdict,) = CHECK.over(batch(one))
    assert verdict.evidence["turn"], verdict.evidence["repeats"] == ("3", "1")
    assert verdict.explanation == "Turn 3 says what turn 1 said."


def test_a_loop_is_told_with_its_length() -> None:
    (verdict,) = CHECK.over(batch(sample("a", " ".join([text(1, 45)] * 4))))
    assert verdict.evidence["words"] == "45"
    assert verdict.explanation == "The text ends on the same 45 words 4 times over."


def test_code_says_much_again_and_fails_only_where_it_says_the_same_word_by_word() -> None:
    programs = [replace(one, task="code") for one in problems()]
    assert failed(CHECK, programs) == 0
    assert failed(CHECK, [replace(one, task="text") for one in programs]) == 1, "a ladder of elif"
    loop = answering(programs[0], "x = step(x, y, z) + other(x)\n" * 20)
    assert failed(CHECK, [loop]) == 1
