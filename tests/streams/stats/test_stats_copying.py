from collections import Counter

import numpy as np
import pytest
from scipy.stats import binomtest
from stats_texts import documents, flat

from services.generate.ngram import NgramModel
from streams.stats.copying import Copying, fit
from streams.words import Flat, hashed, words

SEEDS = [words(text) for text in documents()[:3_000]]
HUMAN = [words(text) for text in documents()[3_000:6_000]]


def grams(text: list[str]) -> list[tuple[str, ...]]:
    return list(zip(text, text[1:], text[2:], strict=False))


def novel(text: list[str], known: list[list[str]]) -> float:
    seen = {gram for other in known for gram in grams(other)}
    return sum(gram not in seen for gram in grams(text)) / len(grams(text))


def test_it_agrees_with_looking_each_gram_up_in_the_words_of_the_seeds() -> None:
    copying = Copying(fit(flat(200)))
    seen = [*HUMAN[:40], SEEDS[7], SEEDS[8][:40] + HUMAN[50][:40]]
    copying.update(hashed(seen))
    expected = [novel(text, SEEDS[:200]) for text in seen]
    assert copying.get()["mean"] == pytest.approx(np.mean(expected))
    assert copying.get()["sd"] == pytest.approx(np.std(expected, ddof=1))


def test_a_seed_is_held_against_the_other_seeds() -> None:
    seeds = [["lo"], *SEEDS[:60], SEEDS[5][:50]]  # one that is too short, one that is part of another
    dictionary = fit(hashed(seeds))
    expected = [novel(text, seeds[:place] + seeds[place + 1 :]) for place, text in enumerate(seeds) if place]
    np.testing.assert_allclose(dictionary.novel, expected)
    counts = Counter(gram for text in seeds for gram in set(grams(text)))
    assert Counter(dictionary.documents.tolist()) == Counter(counts.values())
    assert (dictionary.grams[1:] > dictionary.grams[:-1]).all()
    shares = Copying(dictionary).novel(hashed([*seeds[1:], SEEDS[0]]), np.array([True] * 61 + [False]))
    np.testing.assert_allclose(shares, [*expected, 0.0])


def test_copies_are_flagged_and_fresh_human_text_no_oftener_than_certified() -> None:
    copying = Copying(fit(flat(3_000)), flag=0.01)
    model = NgramModel(documents()[:3_000], order=3)
    made = hashed([words(model.document(seed=seed, temperature=1.0, words=80)) for seed in range(100)])
    assert copying.flags(made).mean() > 0.95
    assert copying.flags(hashed(HUMAN)).mean() <= copying.get()["certified"] < 0.02
    copying.update(made)
    copying.update(hashed(HUMAN[:300]))
    assert copying.get()["copied"] == np.append(copying.flags(made), copying.flags(hashed(HUMAN[:300]))).mean()


@pytest.mark.parametrize("flag", [0.0, 0.02, 0.5])
def test_the_certified_rate_is_the_exact_binomial_bound(flag: float) -> None:
    dictionary = fit(flat(1_000))
    flagged = int((dictionary.novel < np.sort(dictionary.novel)[int(flag * 999)]).sum())
    bound = binomtest(flagged, 1_000, alternative="less").proportion_ci(0.95, method="exact").high
    assert Copying(dictionary, flag=flag).get()["certified"] == pytest.approx(bound)


def test_short_documents_are_neither_counted_nor_flagged() -> None:
    copying = Copying(fit(flat(100)), flag=0.5)
    short = Flat(flat(1).hashes[:2], np.array([0, 2, 2]))
    copying.update(short)
    assert not copying.flags(short).any()
    assert np.isnan([copying.get()[name] for name in ("mean", "sd", "copied")]).all()


def test_seeds_without_grams_are_refused() -> None:
    with pytest.raises(ValueError, match="there is none"):
        fit(hashed([["lo", "behold"], []]))
