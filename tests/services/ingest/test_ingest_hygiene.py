import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ingest_world import context, log, recipe
from planted_marks import MARKED

from services.ingest.near import Near
from services.ingest.service import ingest
from services.ingest.summary import Summary
from streams.memory import MemoryBroker
from streams.samples import Lineage, Sample, Turn, content_hash

SAYING = "the miller went down to the river at dawn and found that the wheel had stopped for the ice was thick"
PASSAGE = f"{SAYING} and the miller sat down upon the bank and waited there for the thaw to come with the spring"
POOLS = ("seed", "reference", "holdout")


def taken(broker: MemoryBroker, folder: Path, rows: list[Any], **seeds: Any) -> Summary:
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    task = "classification" if any("label" in row for row in rows) else "text"
    return ingest(context(broker, recipe(path, task=task, reader="jsonl", **seeds)))


def in_pools(broker: MemoryBroker) -> list[str]:
    found = log(broker)
    return sorted(event.sample.turns[0].text for word in POOLS for event in found[word])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            "Write to jane.roe@mailbox.net about it.",
            "turn 0 holds what looks like a real e-mail address at character 9",
        ),
        (
            "The cafÃ© is open.",
            "turn 0 holds text that was read in another encoding than it was written in at character 7",
        ),
        ("Lost \ufffd for ever.", "turn 0 holds the sign for a character that was lost at character 5"),
    ],
)
def test_damaged_and_personal_text_is_set_aside_with_the_reason_and_the_line(
    text: str, reason: str, tmp_path: Path
) -> None:
    broker = MemoryBroker()
    done = taken(broker, tmp_path, [{"text": "The sea was calm."}, {"text": text}])
    assert (done.seed + done.reference + done.holdout, done.bad) == (1, 1)
    assert done.first_bad == (f"{tmp_path}/rows.jsonl, line 2: {reason}",)
    (letter,) = log(broker)["dead.ingest"]
    assert json.loads(letter.value) == {"text": text}
    assert "jane" not in letter.explanation


@pytest.mark.parametrize("text", [texts[0] for texts in MARKED.values()])
def test_a_text_with_a_models_mark_is_a_candidate_of_unknown_origin_at_the_depth_cap(text: str, tmp_path: Path) -> None:
    broker = MemoryBroker()
    done = taken(broker, tmp_path, [{"text": "The sea was calm."}, {"text": text}])
    assert (done.read, done.marked, done.candidates, done.bad) == (2, 1, 0, 0)
    assert in_pools(broker) == ["The sea was calm."]
    (made,) = log(broker)["generate"]
    assert made.sample.turns[0].text == text
    assert (made.sample.lineage.origin, made.sample.lineage.generation) == ("UNKNOWN", 2)
    assert done.first_marked[0].startswith(f"{tmp_path}/rows.jsonl, line 2: turn 0 holds ")
    assert taken(broker, tmp_path, [{"text": text}]).known == 1


def test_a_text_that_nearly_repeats_another_is_left_out_in_the_same_run_and_in_the_next(tmp_path: Path) -> None:
    broker = MemoryBroker()
    near = PASSAGE.replace("spring", "summer")
    done = taken(broker, tmp_path, [{"text": PASSAGE}, {"text": near}, {"text": SAYING}])
    assert (done.near, done.seed + done.reference + done.holdout) == (1, 2)
    assert "line 2: 9" in done.first_near[0]
    again = taken(broker, tmp_path, [{"text": near}, {"text": "quite another text"}])
    assert (again.near, again.seed + again.reference + again.holdout) == (1, 1)
    assert in_pools(broker) == sorted([PASSAGE, SAYING, "quite another text"])


def test_another_label_makes_another_sample_of_a_like_text(tmp_path: Path) -> None:
    broker = MemoryBroker()
    other = SAYING.replace("thick", "thin")
    rows = [{"text": SAYING, "label": "a"}, {"text": other, "label": "b"}, {"text": f"{SAYING}!", "label": "b"}]
    done = taken(broker, tmp_path, rows)
    assert (done.near, done.seed + done.reference + done.holdout) == (1, 2)
    assert "line 3: " in done.first_near[0]


def test_many_questions_about_one_passage_are_samples_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    asked = [("What stopped?", "the wheel"), ("Who went?", "The miller."), ("Who was it?", "the miller")]
    rows = [{"prompt": f"{PASSAGE}\n{question}", "response": answer} for question, answer in asked]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = ingest(context(MemoryBroker(), recipe(path, task="instruction", reader="jsonl")))
    assert (done.near, done.seed + done.reference + done.holdout) == (1, 2)
    assert "line 3: 8" in done.first_near[0]


def test_what_is_not_asked_for_is_not_looked_for(tmp_path: Path) -> None:
    broker = MemoryBroker()
    rows = [
        {"text": MARKED["self"][0]},
        {"text": "Write to jane.roe@mailbox.net."},
        {"text": SAYING},
        {"text": f"{SAYING}!"},
    ]
    done = taken(broker, tmp_path, rows, hygiene=[])
    assert (done.bad, done.marked, done.near) == (0, 0, 0)
    assert len(in_pools(broker)) == 4


def test_what_is_not_human_is_left_to_verify(tmp_path: Path) -> None:
    broker = MemoryBroker()
    done = taken(broker, tmp_path, [{"text": MARKED["self"][0], "origin": "SYNTHETIC"}])
    assert (done.candidates, done.marked) == (1, 0)


def sample(text: str) -> Sample:
    turns = (Turn(role="document", text=text),)
    content = content_hash("text", turns)
    return Sample(
        sample_id=content, content_hash=content, task="text", turns=turns, lineage=Lineage(origin="HUMAN", generation=0)
    )


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 79), st.sampled_from("xyz")), max_size=30), st.integers(1, 30)
)
@settings(deadline=None)
def test_no_two_texts_that_are_taken_in_are_near_however_they_come(
    changes: list[tuple[int, int, str]], block: int
) -> None:
    texts = {}
    for document, place, word in changes:
        said = [f"w{document}-{number}".replace("-", "q") for number in range(80)]
        said[place] = word
        texts[" ".join(said)] = document
    near = Near(0.8)
    samples = [sample(text) for text in texts]
    kept = []
    for start in range(0, len(samples), block):
        part = samples[start : start + block]
        kept += [texts[one.turns[0].text] for one, match in zip(part, near.take(part), strict=True) if match is None]
    assert len(kept) == len(set(texts.values()))  # one of each document, however many ways it was changed
