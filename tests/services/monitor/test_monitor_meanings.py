from dataclasses import replace

import numpy as np
import pytest
from monitor_plays import artefact, model, sample, samples, texts
from monitor_world import WINDOW, documents

from services import meaning
from services.monitor import meanings
from services.monitor.yardstick import Yardstick, human_documents
from streams.stats import coverage, discrepancy
from streams.stats.documents import Documents
from streams.stats.sequential import CELL

THREE = {"meaning_mmd2", "meaning_recall", "meaning_coverage"}
EMBEDDINGS = 5
SAMPLED = WINDOW // CELL * EMBEDDINGS


def with_vectors(rng: np.random.Generator, count: int, away: float = 0.0) -> Documents:
    """Return made-up documents of which the first five of each cell have a vector, `away` from where humans are."""
    found = rng.normal(size=(count, 16)) + away
    found[np.arange(count) % CELL >= EMBEDDINGS] = 0
    return documents(rng, count)._replace(meanings=found.astype(np.float16))


def test_windows_are_measured_by_their_sampled_documents_against_as_many_human_ones() -> None:
    rng = np.random.default_rng(1)
    human, window = with_vectors(rng, 6 * WINDOW), with_vectors(rng, WINDOW)
    made = meanings.fit(human, SAMPLED, seed=7)
    assert made is not None
    sampled = window.at(np.flatnonzero(np.arange(WINDOW) % CELL < EMBEDDINGS))
    against = human.meanings[np.arange(len(human.keys)) % CELL < EMBEDDINGS][:SAMPLED].astype(np.float64)
    apart = discrepancy.Discrepancy(discrepancy.fit(against, seed=7))
    apart.update(sampled.meanings.astype(np.float64))
    covered = coverage.Coverage(coverage.fit(against))
    covered.update(coverage.Keyed(sampled.keys, sampled.meanings.astype(np.float64)))
    assert made.values(window) == {
        "meaning_mmd2": apart.get()["mmd2"],
        "meaning_recall": covered.get()["recall"],
        "meaning_coverage": covered.get()["coverage"],
    }
    assert len(made.others.keys) == 5 * SAMPLED
    assert not set(made.others.meanings[:, 0].tolist()) & set(against[:, 0].tolist())


def test_their_nulls_hold_human_windows_and_not_those_that_mean_something_else() -> None:
    rng = np.random.default_rng(2)
    made = Yardstick(with_vectors(rng, 30 * WINDOW), WINDOW, sampled=SAMPLED)
    inside, outside = [], []
    for found, away in ((inside, 0.0), (outside, 1.0)):
        for _ in range(40):
            values = made.values(with_vectors(rng, WINDOW, away))
            found.append([abs(values[name] - made.nulls[name].median) <= made.nulls[name].halfwidth for name in THREE])
    assert np.mean(inside) == pytest.approx(0.95, abs=0.06)
    assert not np.any(outside)


@pytest.mark.parametrize(
    ("windows", "sampled", "has_values", "has_nulls"),
    [
        (4, SAMPLED, True, True),
        (3, SAMPLED, True, False),
        (4, meaning.LEAST - 1, False, False),
        (4, 5 * SAMPLED, False, False),  # the human ones have fewer
        (4, 0, False, False),
    ],
)
def test_too_few_vectors_are_not_measured(windows: int, sampled: int, has_values: bool, has_nulls: bool) -> None:
    rng = np.random.default_rng(1)
    made, without = (Yardstick(with_vectors(rng, windows * WINDOW), WINDOW, sampled=number) for number in (sampled, 0))
    window = with_vectors(rng, WINDOW)
    assert (set(made.values(window)) - set(without.values(window)) == THREE) == has_values
    assert (set(made.nulls) - set(without.nulls) == THREE) == has_nulls


def test_what_is_not_of_meanings_is_the_same_with_and_without_them() -> None:
    human, window = (with_vectors(np.random.default_rng(seed), count * WINDOW) for seed, count in ((1, 4), (2, 1)))
    made, without = Yardstick(human, WINDOW, sampled=SAMPLED), Yardstick(human, WINDOW)
    assert {name: null for name, null in made.nulls.items() if name not in THREE} == without.nulls
    assert {name: value for name, value in made.values(window).items() if name not in THREE} == without.values(window)


@pytest.mark.embeddings
def test_human_plays_mean_what_human_plays_mean_and_a_bigram_model_s_do_not() -> None:
    human = human_documents(replace(artefact(), embeddings=CELL), samples("others")[:700], 100)
    made = Yardstick(human.part(0, 500), 100, sampled=100)
    deviation = made.nulls["meaning_mmd2"].halfwidth / 1.96
    for start in (500, 600):
        values = made.values(human.part(start, start + 100))
        print("human", {name: round(values[name], 4) for name in sorted(THREE)}, "sd", round(deviation, 4))
        assert abs(values["meaning_mmd2"]) <= 3 * deviation
        assert values["meaning_recall"] >= 0.85
    said = [sample(text, f"bigram{number}") for number, text in enumerate(texts(model(2), 100, seed=3))]
    values = made.values(replace(artefact(), embeddings=CELL).documents(said))
    print("bigram", {name: round(values[name], 4) for name in sorted(THREE)}, made.nulls["meaning_mmd2"])
    assert values["meaning_mmd2"] > made.nulls["meaning_mmd2"].median + made.nulls["meaning_mmd2"].halfwidth


@pytest.mark.embeddings
def test_of_human_documents_the_same_share_has_vectors_as_of_others() -> None:
    found = human_documents(replace(artefact(), embeddings=2), samples("calibrate")[:60], 40)
    assert np.flatnonzero(found.meanings.any(axis=1)).tolist() == [0, 1, 25, 26, 50, 51]
