import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.generate.ngram import NgramModel

WORDS = [f"w{i}" for i in range(30)]


def corpus(documents: int = 200, seed: int = 1, vocabulary: int = 30) -> list[str]:
    draw = random.Random(seed)
    return [" ".join(draw.choices(WORDS[:vocabulary], k=20)) for _ in range(documents)]


def grams(texts: list[str], order: int) -> set[tuple[str, ...]]:
    return {
        tuple(words[i : i + order]) for words in (text.split() for text in texts) for i in range(len(words) - order + 1)
    }


@pytest.mark.parametrize("order", [2, 3, 4, 5])
def test_every_step_within_a_document_is_an_n_gram_of_the_training_set(order: int) -> None:
    texts = corpus(documents=5)
    model, known = NgramModel(texts, order=order), grams(texts, order)
    starts = {tuple(text.split()[: order - 1]) for text in texts}
    unknown = grams([model.document(seed=i, temperature=1.0, words=18) for i in range(50)], order) - known
    # The rest spans the end of one document and the start of the next.
    assert all(
        any(gram[cut : cut + order - 1] in {s[: order - cut] for s in starts} for cut in range(1, order))
        for gram in unknown
    )


def test_the_same_seed_gives_the_same_document_and_another_seed_another() -> None:
    one, two = NgramModel(corpus(), order=3), NgramModel(corpus(), order=3)
    texts = [one.document(seed=seed, temperature=0.9, words=30) for seed in range(20)]
    assert texts == [two.document(seed=seed, temperature=0.9, words=30) for seed in range(20)]
    assert len(set(texts)) == 20


@given(st.integers(1, 100), st.floats(0.01, 2), st.integers(2, 5), st.floats(0, 1), st.integers(0, 2**128))
@settings(deadline=None)
def test_a_document_has_just_as_many_words_as_were_asked_for(
    words: int, temperature: float, order: int, backoff: float, seed: int
) -> None:
    model = NgramModel(["a b c a b", "", "b c"], order=order, backoff=backoff)
    made = model.document(seed=seed, temperature=temperature, words=words).split()
    assert len(made) == words
    assert set(made) <= {"a", "b", "c"}


def test_backing_off_uses_n_grams_that_the_training_set_does_not_have() -> None:
    texts = corpus(documents=20)
    known = grams(texts, 3)

    def novel(backoff: float) -> float:
        model = NgramModel(texts, order=3, backoff=backoff)
        made = [
            tuple(words[i : i + 3])
            for words in (model.document(seed=s, temperature=1.0, words=18).split() for s in range(300))
            for i in range(16)
        ]
        return sum(gram not in known for gram in made) / len(made)

    shares = [novel(backoff) for backoff in (0.0, 0.3, 0.9)]
    assert shares[0] < shares[1] / 2 < shares[2] / 3
    # With all contexts rare, a back-off step is nearly always new: the share of steps is the share of new n-grams.
    assert shares[1] - shares[0] == pytest.approx(0.3 * (1 - shares[0]) * 0.95, abs=0.06)


def test_full_backoff_of_order_two_draws_single_words_by_their_counts() -> None:
    model = NgramModel(["a a a b"] * 10, order=2, backoff=1.0)
    drawn = Counter(model.document(seed=3, temperature=1.0, words=4_000).split())
    assert drawn["a"] / 4_000 == pytest.approx(0.75, abs=0.03)


def test_temperature_raises_counts_to_its_inverse() -> None:
    texts = ["s a"] * 80 + ["s b"] * 20
    model = NgramModel(texts, order=2)

    def share_of_a(temperature: float) -> float:
        drawn = Counter(model.document(seed=5, temperature=temperature, words=8_000).split())
        return drawn["a"] / (drawn["a"] + drawn["b"])

    assert share_of_a(1.0) == pytest.approx(0.8, abs=0.02)
    assert share_of_a(0.5) == pytest.approx(80**2 / (80**2 + 20**2), abs=0.02)
    assert share_of_a(2.0) == pytest.approx(80**0.5 / (80**0.5 + 20**0.5), abs=0.02)
    assert share_of_a(0.01) == 1.0


def test_a_document_begins_with_the_opening_as_far_as_the_order_reaches() -> None:
    model = NgramModel(["a b c d", "a c b d", "b a d c"], order=3)
    for seed in range(20):
        assert model.document(seed=seed, temperature=1.0, words=4, opening="a c b d").startswith("a c ")
        assert model.document(seed=seed, temperature=1.0, words=4, opening="b unknown").startswith("b ")
    unknown = {model.document(seed=seed, temperature=1.0, words=1, opening="unknown b") for seed in range(50)}
    assert unknown == {"a", "b"}


def test_a_training_set_without_words_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one word"):
        NgramModel(["", "  "], order=3)


def test_training_on_its_own_output_again_and_again_loses_words() -> None:
    texts = corpus(documents=100, vocabulary=30) + [f"rare{i} w1 w2 w3" for i in range(100)]
    sizes = []
    for generation in range(8):
        sizes.append(len({word for text in texts for word in text.split()}))
        model = NgramModel(texts, order=3)
        texts = [model.document(seed=1_000 * generation + i, temperature=1.0, words=20) for i in range(100)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] < sizes[0] / 2
