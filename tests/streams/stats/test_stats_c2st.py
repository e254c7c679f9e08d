from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import balanced_accuracy_score, roc_auc_score
from stats_texts import documents

from services.generate.ngram import NgramModel
from streams.stats.c2st import Labelled, TwoSample
from streams.words import hashed, runs, words

Labels = NDArray[np.bool_]


@cache
def human() -> list[list[str]]:
    return [words(text)[:64] for text in documents()[:2_000]]


@cache
def made() -> list[list[str]]:
    """Return text of a bigram model of other documents of the plays, cooled a little."""
    model = NgramModel(documents()[5_000:8_000], order=2)
    return [words(model.document(seed=seed, temperature=0.8, words=80))[:64] for seed in range(1_000)]


def taken(texts: list[list[str]], synthetic: Labels, seed: int = 0) -> TwoSample:
    test, order = TwoSample(), np.random.default_rng(seed).permutation(len(texts))
    for places in np.array_split(order, len(texts) // 25):
        test.update(Labelled(hashed([texts[place] for place in places]), synthetic[places]))
    return test


@pytest.mark.parametrize("share", [0.5, 0.3])
def test_halves_of_human_text_cannot_be_told_apart(share: float) -> None:
    synthetic = np.arange(2_000) < 2_000 * share
    got = taken(human(), synthetic).get()
    error = np.sqrt((1 / (2_000 * share) + 1 / (2_000 * (1 - share))) / 16)
    assert got["accuracy"] == pytest.approx(0.5, abs=2.5 * error)
    assert got["auc"] == pytest.approx(0.5, abs=2.5 * 2 * error / np.sqrt(3))


@pytest.mark.parametrize("number", [1_000, 400])
def test_text_of_a_bigram_model_is_told_apart_whatever_its_share(number: int) -> None:
    got = taken(human()[:1_000] + made()[:number], np.arange(1_000 + number) >= 1_000).get()
    assert got["accuracy"] > 0.58
    assert got["auc"] > 0.63


def plain(batches: list[Labelled]) -> tuple[list[bool], list[float]]:
    """Do the same document by document with sets of bins, and return the labels and the held-out logits."""
    weights, squares = np.zeros((2, 8_192)), np.zeros((2, 8_192))
    learnt, labels, logits = np.zeros((2, 2)), [], []
    for batch in batches:
        seen = []
        for place, label in enumerate(batch.synthetic):
            words_of = batch.texts.hashes[batch.texts.starts[place] : batch.texts.starts[place + 1]]
            half = sum(map(int, words_of)) % 2
            grams = [runs(batch.texts, length) for length in (1, 2, 3)]
            bins = {int(h) >> 51 for g in grams for h in g.hashes[g.starts[place] : g.starts[place + 1]]}
            x = np.zeros(8_192)
            x[list(bins)] = len(bins) ** -0.5
            seen.append((x, half, int(label)))
            learnt[half, int(label)] += 1
            labels.append(bool(label))
            logits.append(weights[1 - half] @ x)
        gradient = np.zeros((2, 8_192))
        for x, half, label in seen:
            balance = learnt[half].sum() / (2 * learnt[half, label])
            gradient[half] += balance * (label - 1 / (1 + np.exp(-weights[half] @ x))) * x
        squares += gradient**2
        weights += 0.3 * gradient / np.sqrt(squares + 1e-8)
    return labels, logits


def test_it_agrees_with_plain_steps_and_with_the_measures_of_scikit_learn() -> None:
    texts, synthetic = human()[:300] + made()[:200], np.arange(500) >= 300
    order = np.random.default_rng(1).permutation(500)
    batches = [
        Labelled(hashed([texts[place] for place in places]), synthetic[places]) for places in np.array_split(order, 20)
    ]
    labels, logits = plain(batches)
    test = TwoSample()
    for batch in batches:
        test.update(batch)
    assert test.get()["accuracy"] == pytest.approx(balanced_accuracy_score(labels, np.array(logits) >= 0), abs=1e-9)
    assert test.get()["auc"] == pytest.approx(roc_auc_score(labels, logits), abs=0.005)


def test_duplicates_do_not_teach_the_model_that_scores_them() -> None:
    synthetic = np.random.default_rng(4).random(300) < 0.5
    got = taken(human()[:300] * 5, np.tile(synthetic, 5)).get()
    assert got["accuracy"] == pytest.approx(0.5, abs=3 * 0.5 / np.sqrt(300))


def test_a_large_batch_is_the_same_as_its_parts_and_texts_without_words_are_left_out() -> None:
    texts, synthetic = human()[:70], np.arange(70) % 3 == 0
    whole, parts = TwoSample(), TwoSample()
    whole.update(Labelled(hashed([[], *texts[:30], [], *texts[30:], []]), np.insert(synthetic, [0, 30, 70], True)))
    for start in range(0, 70, 25):
        parts.update(Labelled(hashed(texts[start : start + 25]), synthetic[start : start + 25]))
    for key, array in whole.state().items():
        np.testing.assert_array_equal(array, parts.state()[key])


def test_merging_adds_scores_and_averages_weights_by_documents() -> None:
    synthetic = np.arange(400) % 2 == 0
    one, other = taken(human()[:100], synthetic[:100]), taken(human()[100:400], synthetic[:300])
    before, added = one.state(), other.state()
    one.merge(other)
    merged = one.state()
    for key in ("scores", "learnt", "squares"):
        np.testing.assert_allclose(merged[key], before[key] + added[key])
    counts = before["learnt"].sum(1)[:, np.newaxis], added["learnt"].sum(1)[:, np.newaxis]
    average = (before["weights"] * counts[0] + added["weights"] * counts[1]) / (counts[0] + counts[1])
    np.testing.assert_allclose(merged["weights"], average, rtol=1e-4, atol=1e-6)


def test_one_class_alone_tells_nothing() -> None:
    got = taken(human()[:50], np.ones(50, np.bool_)).get()
    assert np.isnan(got["accuracy"])
    assert np.isnan(got["auc"])
