import doctest
import math
import random
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.evaluate import language
from services.evaluate.language import SPACE, LanguageModel
from streams.words import Flat, starts_of

TEXTS = st.lists(st.lists(st.integers(0, 5), max_size=8), min_size=1, max_size=8)


def flat(texts: list[list[int]]) -> Flat:
    return Flat(
        np.array([word for text in texts for word in text], np.uint64),
        starts_of(np.array([len(t) for t in texts], int)),
    )


def witten_bell(train: list[list[int]], order: int, history: tuple[object, ...], word: int) -> float:
    """Count with dictionaries, word by word."""
    if order == 0:
        return 1 / SPACE
    context = history[len(history) - order + 1 :]
    after: Counter[object] = Counter()
    for text in train:
        padded = ["start"] * order + list(text)
        for place in range(order, len(padded)):
            if tuple(padded[place - order + 1 : place]) == context:
                after[padded[place]] += 1
    total, kinds = sum(after.values()), len(after)
    lower = witten_bell(train, order - 1, history, word)
    return (after[word] + kinds * lower) / (total + kinds) if total else lower


@given(train=TEXTS.filter(any), test=TEXTS, order=st.integers(1, 4))
def test_losses_are_those_of_the_formula(train: list[list[int]], test: list[list[int]], order: int) -> None:
    found = LanguageModel(flat(train), order=order).losses(flat(test))
    for text, loss in zip(test, found, strict=True):
        padded = ["start"] * order + list(text)
        chances = [
            witten_bell(train, order, tuple(padded[:place]), padded[place]) for place in range(order, len(padded))
        ]
        if text:
            assert loss == pytest.approx(-sum(map(math.log, chances)) / len(text), rel=1e-9)
        else:
            assert math.isnan(loss)


def test_the_chances_of_all_words_are_one_together() -> None:
    rng = random.Random(3)
    model = LanguageModel(flat([rng.choices(range(30), k=20) for _ in range(20)]))
    before = [4, 7]
    alone = model.losses(flat([before]))[0] * 2
    following = model.losses(flat([[*before, word] for word in [*range(30), 999]])) * 3 - alone
    chances = np.exp(-following)
    assert chances[:-1].sum() + (SPACE - 30) * chances[-1] == pytest.approx(1)


def test_a_model_without_words_is_refused() -> None:
    with pytest.raises(ValueError, match="needs documents with words"):
        LanguageModel(flat([[], []]))


def test_what_a_word_is_does_not_depend_on_the_upper_bits_of_its_hash() -> None:
    texts = [[1, 2, 3], [3, 2, 1]]
    moved = [[word + (SPACE << 8) for word in text] for text in texts]
    model = LanguageModel(flat(texts))
    assert model.losses(flat(moved)).tolist() == model.losses(flat(texts)).tolist()


def test_the_example_is_true() -> None:
    assert doctest.testmod(language).attempted > 1
    assert doctest.testmod(language).failed == 0
