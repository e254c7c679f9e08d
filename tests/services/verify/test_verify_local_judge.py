import random
from collections.abc import Callable
from functools import lru_cache

import planted_order
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stats_texts import plays
from verify_world import sample

from services.generate.ngram import NgramModel
from services.verify.local_judge import LocalJudge, Suspicion, limit, verdict
from services.verify.planted import Faults
from streams.samples import Sample

FIT, CHECKS, OTHER = 600, 700, 300


@lru_cache(maxsize=1)
def texts() -> list[str]:
    found = list(plays())
    random.Random(1).shuffle(found)
    return found[: FIT + CHECKS + 4 * OTHER]


def samples(some: list[str]) -> list[Sample]:
    return [sample(number, each) for number, each in enumerate(some)]


@lru_cache(maxsize=1)
def judge() -> LocalJudge:
    return LocalJudge(samples(texts()[:FIT]), samples(texts()[FIT : FIT + CHECKS]))


def flagged(some: list[str]) -> float:
    return sum(said.outcome == "flag" for said in judge().over(samples(some))) / len(some)


def others() -> list[str]:
    return texts()[-OTHER:]


def test_other_human_texts_are_flagged_about_once_in_a_hundred() -> None:
    assert flagged(texts()[FIT + CHECKS :]) < 0.02


@pytest.mark.parametrize(
    ("fault", "least"), [("swapped", 0.8), ("stuck", 0.8), ("telegraphic", 0.5), ("stuttered", 0.9)]
)
def test_faults_that_it_was_not_trained_on_are_found(fault: str, least: float) -> None:
    spoil: Callable[[str, random.Random], str] = getattr(planted_order, fault)
    rng = random.Random(3)
    spoilt = [spoil(text, rng) for text in others()]
    assert len(set(spoilt)) >= 100
    assert flagged(spoilt) > least


def test_a_collapsed_model_is_not_taken_for_a_likely_text() -> None:
    model = NgramModel(texts()[-2 * OTHER :], order=2)
    said = [
        model.document(seed=number, temperature=0.4, words=80, opening=text.split()[0])
        for number, text in enumerate(others())
    ]
    assert flagged(said) > 0.9


def test_what_was_planted_is_named() -> None:
    faults = Faults([text.split() for text in others()], random.Random(5))
    for kind in ("shuffled words", "missing function words", "repeated words"):
        spoilt = [" ".join(faults.kinds[kind](text.split())) for text in others()]
        said = [each.evidence["looks like"] for each in judge().over(samples(spoilt)) if each.outcome == "flag"]
        assert len(said) > 0.8 * OTHER
        assert said.count(kind) > 0.9 * len(said)


@given(st.lists(st.sampled_from(["the", "a", "King", "said", "swerve"]), max_size=30), st.integers(0, 99))
def test_a_fault_is_made_of_the_words_that_are_there(words: list[str], seed: int) -> None:
    known = [["so", "it", "goes"], ["the", "end"]]
    faults = Faults(known, random.Random(seed))
    for kind, make in faults.kinds.items():
        if words or kind != "a loop":
            assert set(make(words)) <= {*words, "so", "it", "goes", "the", "end"}
    assert sorted(faults.shuffled(words)) == sorted(words)
    assert len(faults.gibberish(words)) == len(faults.sharpened(words)) == len(words)


@given(st.lists(st.floats(-9, 9), min_size=99, max_size=400))
def test_above_the_limit_lies_at_most_one_text_in_a_hundred(scores: list[float]) -> None:
    assert sum(score > limit(scores) for score in scores) <= len(scores) / 100


def test_with_too_few_texts_to_hold_it_against_it_suspects_nobody() -> None:
    assert limit([1.0] * 98) > 1e300
    unsure = LocalJudge(samples(texts()[:50]), samples(texts()[50:100]))
    assert {said.outcome for said in unsure.over(samples(["the the the the the the"]))} == {"pass"}
    assert {said.outcome for said in LocalJudge(samples(texts()[:9]), []).over(samples(["x"]))} == {"pass"}
    assert unsure.over([]) == []


def test_the_same_texts_make_the_same_judge() -> None:
    one, other = (LocalJudge(samples(texts()[:60]), samples(texts()[60:160])) for _ in range(2))
    assert one.over(samples(others())) == other.over(samples(others()))


def test_a_verdict_never_fails_and_says_what_the_text_looks_like() -> None:
    assert verdict(Suspicion(1.5, "a loop", 1.5)).outcome == "pass"
    told = verdict(Suspicion(2.25, "a loop", 1.5))
    assert (told.outcome, told.evidence) == ("flag", {"looks like": "a loop", "limit": "1.50"})
    assert told.explanation == "The text looks like a loop (2.25), more than 99 of 100 human texts do (1.50)."
