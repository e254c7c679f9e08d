from functools import cache

import numpy as np
import pytest
from stats_texts import documents as plays

from services.classifier import Classifier, fit
from streams.words import Flat, hashed, words

LABELS = ("neither", "thou", "you")


def flat(texts: "tuple[str, ...]") -> Flat:
    return hashed([words(text) for text in texts])


def label(text: str) -> str:
    said = set(words(text))
    return "thou" if "thou" in said else "you" if "you" in said else "neither"


@cache
def trained() -> Classifier:
    return fit(flat(plays()[:1_500]), [label(text) for text in plays()[:1_500]])


def test_it_knows_most_labels_of_other_documents() -> None:
    others = plays()[5_000:6_000]
    said = [LABELS[place] for place in trained().odds(flat(others)).argmax(axis=1)]
    assert trained().labels == LABELS
    assert np.mean([one == label(text) for one, text in zip(said, others, strict=True)]) > 0.75


def test_chances_are_of_1_together_and_rise_with_the_odds() -> None:
    others = flat(plays()[5_000:6_000])
    chances, odds = trained().chances(others), trained().odds(others)
    assert chances.sum(axis=1) == pytest.approx(1)
    assert (chances > 0).all()
    np.testing.assert_array_equal(chances.argsort(axis=1), odds.argsort(axis=1))


def test_of_what_it_gives_a_chance_more_have_the_label_the_higher_that_is() -> None:
    others = plays()[5_000:7_000]
    chances = trained().chances(flat(others))
    is_of = np.array([[label(text) == each for each in LABELS] for text in others])
    shares = [is_of[(chances >= low) & (chances < low + 0.2)].mean() for low in (0, 0.2, 0.4, 0.6, 0.8)]
    print(*(f"{share:.2f}" for share in shares))
    assert shares == sorted(shares)
    assert shares[0] < 0.15
    assert shares[-1] > 0.8


def test_the_same_documents_give_the_same_classifier() -> None:
    one, other = (fit(flat(plays()[:300]), [label(text) for text in plays()[:300]]) for _ in range(2))
    np.testing.assert_array_equal(one.weights, other.weights)
    np.testing.assert_array_equal(one.offsets, other.offsets)


def test_of_no_texts_there_are_no_odds() -> None:
    assert trained().odds(hashed([])).shape == (0, len(LABELS))
