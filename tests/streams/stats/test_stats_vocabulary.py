from collections import Counter

import numpy as np
import pytest
from stats_texts import documents, flat

from streams.stats.vocabulary import Vocabulary
from streams.words import Flat, words


def test_it_agrees_with_plain_counting_of_the_words_themselves() -> None:
    texts = [words(text) for text in documents()[:300]]
    seen = Counter(word for text in texts for word in text)
    found = Vocabulary()
    found.update(flat(300))
    got = found.get()
    once, twice = (sum(count == n for count in seen.values()) for n in (1, 2))
    assert got["types"] == len(seen)
    assert got["ttr"] == pytest.approx(len(seen) / seen.total())
    assert got["hapax"] == pytest.approx(once / len(seen))
    assert got["good_turing"] == pytest.approx(once / seen.total())
    chao = len(seen) + (seen.total() - 1) / seen.total() * once * (once - 1) / (2 * (twice + 1))
    assert got["chao1"] == pytest.approx(chao)
    for n in (2, 3):
        grams = [gram for text in texts for gram in zip(*(text[i:] for i in range(n)), strict=False)]
        assert got[f"distinct_{n}"] == pytest.approx(len(set(grams)) / len(grams))


def test_n_grams_do_not_cross_from_one_text_into_the_next_and_short_texts_have_none() -> None:
    found = Vocabulary()
    found.update(Flat(np.array([1, 2, 1, 2], np.uint64), np.array([0, 2, 2, 4])))
    assert found.get()["distinct_2"] == 0.5
    assert np.isnan(found.get()["distinct_3"])
