import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from verify_world import SHAPE, batch, sample, text

from services.index.minhash import SKETCH, fingerprints, jaccard, shape
from services.index.texts import Texts
from services.verify.checks.duplicate import Duplicate
from streams.samples import Sample, Turn
from streams.words import hashed, text_of, words


def exact_jaccard(one: str, other: str) -> float:
    sets = [{tuple(w[n : n + 3]) for n in range(max(len(w) - 2, 1))} for w in (words(one), words(other))]
    return len(sets[0] & sets[1]) / len(sets[0] | sets[1])


def edited(content: str, edits: int, rng: random.Random) -> str:
    changed = content.split()
    for _ in range(edits):
        changed[rng.randrange(len(changed))] = f"new{rng.randrange(10**6)}"
    return " ".join(changed)


def texts_of(*contents: str) -> Texts:
    texts = Texts(SHAPE)
    texts.add(batch(*(sample(n, content) for n, content in enumerate(contents))).entries)
    return texts


@given(st.lists(st.sampled_from("abcde"), max_size=30), st.lists(st.sampled_from("abcde"), max_size=30))
def test_the_similarity_of_short_texts_is_exact(one: list[str], other: list[str]) -> None:
    prints = fingerprints(hashed([one, other]), SHAPE)
    assert jaccard(prints.sketch(0), prints.sketch(1)) == exact_jaccard(" ".join(one), " ".join(other))


def test_the_similarity_of_long_texts_is_near_the_exact_one_and_takes_no_more_memory() -> None:
    rng = random.Random(5)
    contents = [text(n, 1_500) for n in range(30)]
    changed = [edited(content, 50, rng) for content in contents]
    prints = fingerprints(hashed([words(content) for content in contents + changed]), SHAPE)
    errors = [
        jaccard(prints.sketch(n), prints.sketch(n + 30)) - exact_jaccard(contents[n], changed[n]) for n in range(30)
    ]
    assert max(len(prints.sketch(n)) for n in range(60)) == SKETCH
    assert abs(sum(errors) / 30) < 0.02
    assert max(abs(error) for error in errors) < 0.1


def test_a_long_text_that_holds_another_is_not_taken_for_less_similar_than_it_is() -> None:
    whole = text(3, 1_500)
    part = " ".join(whole.split()[:600])
    prints = fingerprints(hashed([words(whole), words(part)]), SHAPE)
    assert jaccard(prints.sketch(0), prints.sketch(1)) == pytest.approx(0.4, abs=0.06)


def test_near_duplicates_are_found_and_others_are_not() -> None:
    rng = random.Random(7)
    contents = [text(n) for n in range(600)]
    changed = [edited(content, 1 + n % 16, rng) for n, content in enumerate(contents)]
    verdicts = Duplicate(texts_of(*contents), 0.8).over(batch(*(sample(("e", n), c) for n, c in enumerate(changed))))
    similar = [exact_jaccard(one, other) for one, other in zip(contents, changed, strict=True)]
    near = [v.outcome == "fail" for v, s in zip(verdicts, similar, strict=True) if s >= 0.8]
    far = [v.outcome == "fail" for v, s in zip(verdicts, similar, strict=True) if s < 0.8]
    assert len(near) > 80
    assert sum(near) / len(near) >= 0.95
    assert len(far) > 300
    assert not any(far)  # below 256 shingles the similarity is exact
    assert all(v.evidence["sample_id"] == sample(n, "").sample_id for n, v in enumerate(verdicts) if v.evidence)


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.7, 0.8, 0.9, 0.99, 1.0])
def test_the_bands_miss_at_most_one_pair_in_a_hundred_at_any_threshold(threshold: float) -> None:
    bands, rows = shape(threshold)
    assert bands * rows <= 64
    assert (1 - min(threshold, 0.999) ** rows) ** bands <= 0.0101


def test_looking_changes_nothing() -> None:
    texts = texts_of(text(1))
    check = Duplicate(texts, 0.8)
    for _ in range(2):
        assert [verdict.outcome for verdict in check.over(batch(sample("x", text(2))))] == ["pass"]
    assert len(texts) == 1


def test_adding_the_same_texts_again_changes_nothing() -> None:
    texts = texts_of(text(1), text(2))
    texts.add(batch(sample(1, text(2)), sample(5, text(5)), sample(0, text(1)), sample(5, text(5))).entries)
    assert len(texts) == 3
    nearest = texts.nearest(batch(sample("q", text(5)), sample("q", text(1))).entries)
    assert [match.sample_id for match in nearest if match] == [sample(5, "").sample_id, sample(0, "").sample_id]


def test_thousands_of_texts_of_one_template_hide_no_exact_copy() -> None:
    frame = text(0, 60)
    contents = [f"{frame} {text(n + 1, 12)}" for n in range(400)]
    texts = texts_of(*contents)
    nearest = texts.nearest(batch(*(sample(("q", n), content) for n, content in enumerate(contents))).entries)
    assert all(match and match.exact for match in nearest)
    assert [match.sample_id for match in nearest if match] == [sample(n, "").sample_id for n in range(400)]


def test_case_punctuation_and_system_turns_make_no_difference() -> None:
    content = text(3)
    shouted = Sample(
        sample_id="s",
        content_hash="c",
        task="chat",
        turns=(Turn(role="system", text=text(9, 300)), Turn(role="user", text=content.upper().replace(" ", ", "))),
        lineage=sample(0, "").lineage,
    )
    assert words(text_of(shouted)) == content.split()
    (match,) = texts_of(content).nearest(batch(shouted).entries)
    assert match is not None
    assert (match.similarity, match.exact) == (1.0, False)


def test_scripts_without_spaces_are_compared_by_character() -> None:
    assert words("春眠不觉晓 and GPT模型") == ["春", "眠", "不", "觉", "晓", "and", "gpt", "模", "型"]


def test_an_entry_of_80_words_takes_less_than_a_kilobyte() -> None:
    texts = Texts(SHAPE)
    for start in range(0, 6_000, 1_000):
        texts.add(batch(*(sample(n, text(n)) for n in range(start, start + 1_000))).entries)
    columns = (texts._sketches, texts._starts, texts._ids._ids)
    tables = (texts._bands, texts._contents, texts._ids._table)
    taken = sum(c._data.nbytes for c in columns) + sum(t._tags.nbytes + t._rows.nbytes for t in tables)
    assert taken / 6_000 < 1_000
