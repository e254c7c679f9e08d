import random
import re
from dataclasses import replace

import planted_refusals as plant
import pytest
from human_texts import dialogues, documents, glosses
from hypothesis import example, given
from hypothesis import strategies as st
from planting import Plant, caught, conversation, failed
from verify_world import CODEC, SHAPE, batch, human, sample

from services.faults import refusals
from services.faults.quoted import unquoted
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


@pytest.mark.parametrize(
    "text",
    [
        "I don't currently have access to live scores.",
        "It seems you haven't actually provided a text.",
        "That isn't a topic I can discuss.",
        "I'm an AI! There is no childhood to speak of.",
    ],
)
def test_words_that_come_between_hide_no_refusal(text: str) -> None:
    said = found(text)
    assert said is not None
    assert said.kind == "refusal"


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


def found_cue_by_cue(text: str) -> refusals.Found | None:
    """Return what is found if every cue is looked for in all that is said, one after the other."""
    said = text if len(text) <= 550 else f"{text[:300]}\n{refusals._from_a_quote(text[-250:])}"
    said = said.lower().replace("’", "'")
    plain = unquoted(said)
    for cues, pattern in refusals._REFUSALS:
        if any(cue in said for cue in cues) and (match := re.search(rf"\b(?:{pattern})", plain)):
            return refusals.Found("refusal", match[0], "beginning" if match.start() < 300 else "end")
    if match := refusals._OPENS.match(said.lstrip()):
        return refusals.Found("boilerplate", match[0], "beginning")
    if any(cue in said for cue in refusals._LAST_WORDS) and (
        match := refusals._CLOSES.search(plain, max(0, len(said) - 250))
    ):
        return refusals.Found("boilerplate", match[0], "end")
    return None


CUES = sorted({cue for cues, _ in refusals._REFUSALS for cue in cues} | {*refusals._LAST_WORDS})
SAID = [
    "i",
    "As an AI,",
    "provide",
    "assist with",
    "you",
    "do that for you",
    " if you",
    "x " * 120,
    '"',
    "’",
    "\n",
    ".",
]
PATTERNS = [pattern for _, pattern in refusals._REFUSALS] + [refusals._CLOSES.pattern, refusals._OPENS.pattern]


@given(st.lists(st.sampled_from([*CUES, *SAID]) | st.text(max_size=3), max_size=12).map(" ".join))
def test_what_is_found_does_not_depend_on_how_cues_are_looked_for(text: str) -> None:
    assert found(text) == found_cue_by_cue(text)


@given(st.sampled_from(PATTERNS).flatmap(st.from_regex), st.sampled_from(["", "x " * 300]))
@example("you haven't actually provided", "")  # its cue does not stand in it, though a piece of that does
def test_each_wording_is_found_as_if_every_cue_was_looked_for(said: str, before: str) -> None:
    assert found(before + said) == found_cue_by_cue(before + said)


PLANTS = [plant.refusal, plant.excuse, plant.late_refusal, plant.opening, plant.closing]


@pytest.mark.parametrize("fault", [lambda one, _: one, *PLANTS])
def test_documents_and_planted_ones_are_judged_as_if_every_cue_was_looked_for(fault: Plant) -> None:
    rng = random.Random(3)
    for one in documents():
        text = fault(one, rng).turns[-1].text
        assert found(text) == found_cue_by_cue(text)
