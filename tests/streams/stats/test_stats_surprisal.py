from collections import Counter, defaultdict
from math import log2

import numpy as np
import pytest
from stats_texts import documents, flat

from streams.stats.surprisal import Model, Surprisal, fit
from streams.words import Flat, hashed, words

TEXTS = [words(text) for text in documents()[:600]]


class Plain:
    """Witten and Bell's own recursion, on words and dictionaries."""

    def __init__(self, texts: list[list[str]]) -> None:
        self.words = Counter(word for text in texts for word in text)
        self.after: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for text in texts:
            for before, word in zip(["<start>", *text], text, strict=False):
                self.after[before][word] += 1

    def chance(self, counts: Counter[str], word: str, shorter: float) -> float:
        return (counts[word] + len(counts) * shorter) / (counts.total() + len(counts)) if counts else shorter

    def bits(self, text: list[str]) -> float:
        total = 0.0
        for before, word in zip(["<start>", *text], text, strict=False):
            alone = self.chance(self.words, word, 1 / (len(self.words) + 1))
            total -= log2(self.chance(self.after.get(before, Counter()), word, alone))
        return total / len(text)


def test_it_agrees_with_a_plain_model_of_dictionaries() -> None:
    unseen = [["zzyzx", "the", "zzyzx"], ["the"]]
    plain = Plain(TEXTS[:400])
    got = fit(flat(400)).score(hashed([*TEXTS[350:], *unseen]))
    np.testing.assert_allclose(got, [plain.bits(text) for text in [*TEXTS[350:], *unseen]], rtol=1e-9)


def test_the_probabilities_of_all_words_after_a_context_are_one_together() -> None:
    model = fit(flat(100))
    unknown = np.array([1], np.uint64)
    every = np.concatenate((model.words, unknown))
    last = int(flat(1).starts[1]) - 1
    for context in (None, model.words[0], model.words[700], flat(1).hashes[last], unknown[0]):
        if context is None:
            bits = model.score(Flat(every, np.arange(len(every) + 1)))
        else:
            pairs = np.stack((np.full(len(every), context), every), 1)
            alone = model.score(Flat(pairs[:1, 0], np.array([0, 1])))
            bits = 2 * model.score(Flat(pairs.ravel(), 2 * np.arange(len(every) + 1))) - alone
        assert np.exp2(-bits).sum() == pytest.approx(1.0)


def test_it_describes_the_scores_of_the_documents() -> None:
    model, seen = fit(flat(300)), hashed(TEXTS[300:])
    surprisal = Surprisal(model)
    surprisal.update(seen)
    bits, got = model.score(seen), surprisal.get()
    assert got["mean"] == pytest.approx(bits.mean())
    assert got["sd"] == pytest.approx(bits.std(ddof=1))
    for name, share in (("q05", 0.05), ("q50", 0.5), ("q95", 0.95)):
        assert got[name] == pytest.approx(np.quantile(bits, share), abs=0.13)


def test_loops_fall_below_human_text_and_shuffled_words_rise_above_it_with_the_mean_between() -> None:
    model = fit(flat(4_000))
    rng = np.random.default_rng(2)
    fresh = [words(text) for text in documents()[4_000:4_200]]
    human, broken = Surprisal(model), Surprisal(model)
    human.update(hashed(fresh))
    loops = [text[:4] * 20 for text in TEXTS[:100]]
    broken.update(hashed([*loops, *([text[place] for place in rng.permutation(len(text))] for text in fresh[:100])]))
    known, got = human.get(), broken.get()
    assert got["q05"] < known["q05"] - 1
    assert got["q95"] > known["q95"] + 0.7
    assert abs(got["mean"] - known["mean"]) < 1


def test_documents_without_words_and_scores_beyond_the_bins_do_no_harm() -> None:
    rare = Model(np.array([5], np.uint64), np.array([0.5, 2.0**-40]), np.array([2]), np.array([0.0]), np.ones(3))
    surprisal = Surprisal(rare)
    surprisal.update(Flat(np.array([9], np.uint64), np.array([0, 0, 1, 1])))
    got = surprisal.get()
    assert got["mean"] == 40
    assert 29 < got["q50"] <= 30
    assert np.isnan(got["sd"])
    assert np.isnan(rare.score(Flat(np.empty(0, np.uint64), np.array([0, 0])))).all()


def test_a_model_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="needs documents with words"):
        fit(hashed([[]]))
