from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from stats_texts import documents

from services.generate.ngram import NgramModel
from streams.stats.novelty import Novelty
from streams.words import first, hashed, words

WORDS = st.lists(st.sampled_from("abcdef"), max_size=7)


def plainly(texts: list[list[str]], memory: int) -> NDArray[np.float64]:
    """Compute the shares with sets, one document after the other."""
    said: list[list[set[tuple[str, ...]]]] = []
    shares = []
    for text in texts:
        mine = [set(zip(*(text[i:] for i in range(n)), strict=False)) for n in (1, 2, 3)]
        if not text:
            shares.append([np.nan] * 3)
            continue
        before = [set().union(*(each[place] for each in said[-memory:])) for place in range(3)]
        shares.append([len(m - b) / len(m) if m else np.nan for m, b in zip(mine, before, strict=True)])
        said.append(mine)
    return np.array(shares).reshape(-1, 3)


@given(st.lists(WORDS, max_size=30), st.integers(1, 6), st.lists(st.integers(0, 30), max_size=4))
def test_it_agrees_with_sets_however_the_stream_is_cut(texts: list[list[str]], memory: int, cuts: list[int]) -> None:
    novelty = Novelty(memory)
    borders = [0, *sorted(min(cut, len(texts)) for cut in cuts), len(texts)]
    parts = [novelty.score(hashed(texts[start:end])) for start, end in pairwise(borders)]
    np.testing.assert_allclose(np.concatenate(parts), plainly(texts, memory), equal_nan=True)


def test_it_agrees_with_sets_on_the_plays() -> None:
    texts = [words(text) for text in documents()[:400]]
    novelty = Novelty(memory=100)
    np.testing.assert_allclose(novelty.score(hashed(texts)), plainly(texts, 100), equal_nan=True)
    assert novelty.seen == 400


def test_a_model_that_learns_from_its_own_output_repeats_itself() -> None:
    model = NgramModel(documents()[:2_000], order=2)
    own = [model.document(seed=seed, temperature=1.0, words=70) for seed in range(1_500)]
    echo = NgramModel(own[-500:], order=2)
    own += [echo.document(seed=seed, temperature=1.0, words=70) for seed in range(300)]
    shares = Novelty().score(first(hashed([words(text) for text in own]), 64))
    healthy, echoed = shares[1_000:1_500].mean(axis=0), shares[1_500:].mean(axis=0)
    assert (echoed < 0.85 * healthy).all()
