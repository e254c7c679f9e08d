import random

import planted_foreign as plant
import pytest
from human_texts import documents, glosses
from hypothesis import given
from hypothesis import strategies as st
from planting import Plant, caught, failed
from verify_world import batch, human, sample

from services.index.ids import pack
from services.verify.checks import language
from services.verify.checks.language import Language
from services.verify.seeds import Seeds
from streams.samples import Sample


def seeds_of(samples: list[Sample], step: int = 1_000) -> Seeds:
    seeds = Seeds()
    for start in range(0, len(samples), step):
        some = samples[start : start + step]
        seeds.add(pack([one.sample_id.encode() for one in some]), batch(*some))
    return seeds


@pytest.fixture(scope="module")
def english() -> Seeds:
    return seeds_of(documents()[::2])


def foreign(count: int) -> list[Sample]:
    rng = random.Random(7)
    return [human(f"{plant.foreign(human('x'), rng).turns[0].text} {n}") for n in range(count)]


@pytest.mark.parametrize("fault", [plant.foreign, plant.switching])
def test_nearly_all_foreign_texts_fail(english: Seeds, fault: Plant) -> None:
    assert caught(Language(english, None), fault, documents()[1:401:2]) >= 0.95


@pytest.mark.parametrize("texts", [documents, glosses])
def test_at_most_one_human_text_in_a_thousand_fails(english: Seeds, texts: "type[list[Sample]]") -> None:
    assert failed(Language(english, None), texts()) <= 0.001 * len(texts())


def test_most_texts_never_meet_the_classifier(english: Seeds, monkeypatch: pytest.MonkeyPatch) -> None:
    assert english.languages == {"en"}
    asked: list[str] = []
    monkeypatch.setattr(language, "language_of", asked.append)
    Language(english, None).over(batch(*documents()[1::2]))
    assert len(asked) < 0.02 * len(documents()[1::2])


def test_the_languages_are_the_same_in_whichever_order_the_seeds_came() -> None:
    many = [*documents()[:2_600], *foreign(60)]
    shuffled = random.Random(2).sample(many, len(many))
    one, other = seeds_of(many), seeds_of(shuffled, 333)
    assert one.languages == other.languages
    assert one.common == other.common


def test_a_language_of_one_seed_in_a_hundred_is_allowed_and_a_rarer_one_is_not() -> None:
    german = [one for one in foreign(900) if " der " in one.turns[0].text or " und " in one.turns[0].text]
    assert seeds_of([*documents()[:1_000], *german[:20]]).languages == {"en", "de"}
    assert seeds_of([*documents()[:1_000], *german[:3]]).languages == {"en"}


def test_the_verdict_names_the_language_and_what_is_allowed(english: Seeds) -> None:
    one = next(each for each in foreign(50) if " der " in each.turns[0].text)
    (verdict,) = Language(english, ("fr", "en")).over(batch(one))
    assert (verdict.outcome, verdict.evidence) == ("fail", {"language": "de"})
    assert verdict.explanation == "The text is in the language de; allowed are en, fr."
    assert failed(Language(english, ("de",)), [one]) == 0


def test_short_texts_pass_and_without_seeds_every_language_does(english: Seeds) -> None:
    assert failed(Language(english, None), [sample("a", "Ich weiß es nicht, mein Freund.")]) == 0
    assert failed(Language(Seeds(), None), foreign(3)) == 0


@given(st.lists(st.sampled_from("abcdefghijklmnop"), max_size=60), st.frozensets(st.sampled_from("abcdefghijklmnop")))
def test_a_text_looks_foreign_by_its_distinct_words(said: list[str], common: frozenset[str]) -> None:
    few = len(set(said) & common) < 0.3 * len(set(said))
    assert language._looks_foreign(said, common) == (len(said) >= 20 and few)


def test_a_play_looks_foreign_by_its_distinct_words(english: Seeds) -> None:
    for said in batch(*documents()).words:
        few = len(set(said) & english.common) < 0.3 * len(set(said))
        assert language._looks_foreign(said, english.common) == (len(said) >= 20 and few)
