import random
from dataclasses import replace

import planted_refusals as plant
import pytest
from human_texts import dialogues, documents, glosses
from planting import Plant, caught, conversation, failed
from verify_world import CODEC, SHAPE, batch, human, sample

from services.faults.refusals import found
from services.index.ids import pack
from services.verify.checks.refusal import Refusal
from services.verify.known import Known
from services.verify.seeds import Seeds
from streams.broker import Record
from streams.events import SampleIngested
from streams.samples import Sample
from streams.topics import name

CHECK = Refusal(Seeds())
NO = "I'm sorry, but I can't assist with that."


@pytest.mark.parametrize("fault", [plant.refusal, plant.excuse, plant.late_refusal, plant.opening, plant.closing])
def test_nearly_all_planted_refusals_and_small_talk_fail(fault: Plant) -> None:
    assert caught(CHECK, fault, documents()[:400]) >= 0.95


@pytest.mark.parametrize("texts", [documents, dialogues, glosses])
def test_at_most_one_human_text_in_a_thousand_fails(texts: "type[list[Sample]]") -> None:
    assert failed(CHECK, texts()) <= 0.001 * len(texts())


@pytest.mark.parametrize(
    "text",
    [
        '"I\'m sorry, but I can\'t help with that," said the clerk. "We close at noon."',
        "He looked up. “I cannot assist you,” he said, and the door fell shut.",
        "She was an engineer. " * 20 + "As an AI language model, I fail. " + "It rained that day. " * 20,
        f'He read the note aloud: "{"It was late. " * 60}I cannot assist you." Then he left.',
        f"He read the note aloud: “{'It was late. ' * 60}I cannot assist you.” Then he left.",
        "As an AI researcher, I have seen many models come and go.",
        "I cannot help it: I love the sea.",
        "Here is the letter, my lord; I had it of the boy.",
        "Of course it rains. It always does in June.",
    ],
)
def test_people_who_say_no_or_quote_a_machine_pass(text: str) -> None:
    assert found(text) is None


def test_the_verdict_says_where_and_what_was_said() -> None:
    (verdict,) = CHECK.over(batch(sample("a", f"The sea was calm that night. {'It was late. ' * 40}{NO}")))
    assert verdict.outcome == "fail"
    assert verdict.evidence == {"kind": "refusal", "where": "end", "words": "i can't assist"}
    assert verdict.explanation == "The last turn refuses at its end, but its seed does not."


def seed(one: Sample) -> Record:
    value = CODEC.encode(SampleIngested(event_id="e", occurred_at=0, pool="seed", sample=one))
    return Record(name("p", "seed"), 0, 0, one.sample_id.encode(), value, 0)


def test_a_refusal_passes_where_the_seed_refuses_and_small_talk_does_not() -> None:
    known, refusing, willing = Known(CODEC, "p", SHAPE), human(NO), human("Take two eggs and a spoon of flour.")
    known.fold([seed(refusing), seed(willing)])
    no, talk = sample("a", "I cannot help you with that."), sample("b", "Sure! Here is a text: it was night.")
    cases = [
        replace(one, lineage=replace(one.lineage, seed_id=seed_id))
        for one in (no, talk)
        for seed_id in (refusing.sample_id, willing.sample_id, None, "unknown")
    ]
    outcomes = [verdict.outcome for verdict in Refusal(known.seeds).over(batch(*cases))]
    assert outcomes == ["pass", *["fail"] * 7]


def test_a_reference_that_refuses_excuses_nobody() -> None:
    known, one = Known(CODEC, "p", SHAPE), human(NO)
    known.fold([seed(one)._replace(topic=name("p", "reference"))])
    assert not known.seeds.refuse(one.sample_id)


def test_only_the_last_turn_counts_and_a_sample_without_turns_passes() -> None:
    said = conversation(human("Go to bed, and sleep well."), random.Random(1))
    asked = replace(said, turns=(replace(said.turns[0], text=NO), said.turns[1]))
    assert failed(CHECK, [asked, replace(asked, turns=())]) == 0


def test_of_all_seeds_only_those_that_refuse_are_kept() -> None:
    seeds, many = Seeds(), [human(f"{NO} {n}" if n % 7 == 0 else f"It is {n} miles to York.") for n in range(50)]
    ids = pack([one.sample_id.encode() for one in many])
    seeds.add(ids[:30], batch(*many[:30]))
    seeds.add(ids[30:], batch(*many[30:]))
    assert [seeds.refuse(one.sample_id) for one in many] == [n % 7 == 0 for n in range(50)]
