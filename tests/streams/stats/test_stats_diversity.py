import numpy as np
import pytest
from stats_texts import documents

from streams.stats.diversity import Diversity, scores
from streams.words import hashed, words


def plain_mattr(text: list[str]) -> float:
    return float(np.mean([len(set(text[start : start + 50])) / 50 for start in range(len(text) - 49)]))


def plain_mtld(text: list[str]) -> float:
    """Count factors word by word, as the paper describes it, one direction after the other."""

    def factors(sequence: list[str]) -> float:
        found, types, tokens = 0.0, set(), 0
        for word in sequence:
            types.add(word)
            tokens += 1
            if len(types) / tokens <= 0.72:
                found, types, tokens = found + 1, set(), 0
        return found + (1 - len(types) / tokens) / 0.28 if tokens else found

    return (len(text) / factors(text) + len(text) / factors(text[::-1])) / 2


def test_it_agrees_with_counting_word_by_word_in_each_document() -> None:
    texts = [words(text) for text in documents()[:400]]
    long = [text[:64] for text in texts if len(text) >= 64 and len(set(text[:64])) < 64]
    mattrs, mtlds = [plain_mattr(text) for text in long], [plain_mtld(text) for text in long]
    np.testing.assert_allclose(scores(hashed(long)), np.transpose((mattrs, mtlds)))
    found = Diversity()
    found.update(hashed([text for text in texts if len(set(text[:64])) < 64]))
    got = found.get()
    assert got["mattr"] == pytest.approx(np.mean(mattrs))
    assert got["mattr_sd"] == pytest.approx(np.std(mattrs, ddof=1))
    assert got["mtld"] == pytest.approx(np.mean(mtlds))
    assert got["mtld_sd"] == pytest.approx(np.std(mtlds, ddof=1))


def test_one_word_over_and_over_has_a_factor_every_second_word_and_one_type_a_window() -> None:
    np.testing.assert_allclose(scores(hashed([["lo"] * 64])), [[1 / 50, 2]])


def test_a_document_that_repeats_no_word_counts_as_one_that_repeats_its_last() -> None:
    distinct = [f"w{place}" for place in range(64)]
    again = [*distinct[:63], "w0"]
    found = scores(hashed([distinct, again]))
    assert found[0, 0] == 1
    assert found[0, 1] == pytest.approx(64 * 64 * 0.28)
    assert found[1, 1] == pytest.approx(found[0, 1])


def test_only_the_first_64_words_count_and_shorter_documents_are_left_out() -> None:
    text = [f"w{place % 40}" for place in range(64)]
    found = scores(hashed([[*text, "w1", "w1", "w1"], text[:63], text]))
    assert np.isnan(found[1]).all()
    np.testing.assert_array_equal(found[0], found[2])
    short = Diversity()
    short.update(hashed([text[:63], []]))
    assert all(np.isnan(value) for value in short.get().values())


def test_half_made_of_repeated_sentences_is_less_diverse_by_both() -> None:
    texts = [words(text)[:64] for text in documents()[:100]]
    human, looped = scores(hashed(texts)), scores(hashed([text[:32] * 2 for text in texts if len(text) == 64]))
    assert (np.nanmean(looped, axis=0) < np.nanmean(human, axis=0) * 0.8).all()
