import zlib
from collections import Counter, defaultdict

import numpy as np
import pytest
from stats_texts import documents

from streams.stats.repetition import Repetition, Texts
from streams.words import hashed, words


def taken(texts: list[str]) -> dict[str, float]:
    repetition = Repetition()
    for start in range(0, len(texts), 25):
        batch = texts[start : start + 25]
        repetition.update(Texts(batch, hashed([words(text) for text in batch])))
    return dict(repetition.get())


def grams(text: str, length: int) -> list[tuple[str, ...]]:
    found = words(text)
    return [tuple(found[place : place + length]) for place in range(len(found) - length + 1)]


def test_it_agrees_with_plain_counting_of_the_words_themselves() -> None:
    human = list(documents()[:300])
    texts = [*human, human[3][:200] + human[4], human[5][150:], "to be or not to be or not to be or not", "short", ""]
    got = taken(texts)
    ratios = []
    for text in texts[:-1]:
        squeeze = zlib.compressobj(6)
        ratios.append(len(text.encode()) / len(squeeze.compress(text.encode()) + squeeze.flush()))
    assert got["compression"] == pytest.approx(np.mean(ratios))
    repeats = [
        sum(n - 1 for n in Counter(grams(text, 4)).values()) / len(grams(text, 4)) for text in texts if grams(text, 4)
    ]
    assert got["repeated_4"] == pytest.approx(np.mean(repeats))
    owners = defaultdict(set)
    for place, text in enumerate(texts):
        for gram in grams(text, 8):
            owners[gram].add(place)
    shared = {place for found in owners.values() if len(found) > 1 for place in found}
    assert {3, 5, 300, 301} <= shared
    assert got["self_repetition"] == pytest.approx(len(shared) / sum(bool(grams(text, 8)) for text in texts))


def test_what_a_document_repeats_of_itself_is_not_shared_with_others() -> None:
    loop = "so shaken as we are so wan with care " * 10
    alone = taken([loop, *documents()[:50]])
    assert alone["self_repetition"] == taken(list(documents()[:50]))["self_repetition"] == 0
    for length in (9, 20, 60, 200, 2_000):
        assert taken(["lo " * length, "lo " * length])["self_repetition"] == 1
    assert taken([loop])["repeated_4"] > 0.8
    assert taken([loop])["compression"] > 5


def test_eight_words_in_common_are_a_repetition_and_seven_are_none() -> None:
    assert taken(["1 a b c d e f g 2", "3 a b c d e f g 4", "a b c d e f g h"])["self_repetition"] == 0
    got = taken(["1 a b c d e f g h", "a b c d e f g h 2", "3 a b c d e f g 4"])
    assert got["self_repetition"] == pytest.approx(2 / 3)


def test_n_grams_do_not_cross_from_one_text_into_the_next() -> None:
    got = taken(["a b c", "d e f", "a b c d", "d e f a"])
    assert got["repeated_4"] == 0
    assert np.isnan(got["self_repetition"])


def test_text_that_is_no_unicode_is_taken_too() -> None:
    assert taken(["\ud800 lo"])["compression"] > 0
