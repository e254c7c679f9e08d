import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from stats_vectors import vectors

from streams.stats.cells import Cells, Codebook, fit

COUNTS = np.array([400, 5, 300, 4, 200, 3, 88])


def line(counts: list[int]) -> NDArray[np.float64]:
    """Return vectors that lie on the centres 0, 1, 2 ... as often as counts say."""
    return np.repeat(np.arange(float(len(counts))), counts)[:, np.newaxis]


def on_a_line() -> Cells:
    return Cells(Codebook(np.arange(7.0)[:, np.newaxis], COUNTS, COUNTS < 100))


def fitted(counts: list[int], others: list[int]) -> Codebook:
    """Return cells of as many vectors on a line as counts say, and as many others between them."""
    found = fit(np.stack((line(counts), line(others)), axis=1).reshape(-1, 1), len(counts), seed=1)
    order = found.centres[:, 0].argsort()
    return Codebook(found.centres[order], found.counts[order], found.tail[order])


def test_each_vector_is_counted_at_its_nearest_centre() -> None:
    found = Cells(fit(vectors()[:600], 20, seed=1))
    found.update(vectors()[600:900])
    centres = fit(vectors()[:600], 20, seed=1).centres
    nearest = cdist(vectors()[600:900], centres).argmin(1)
    np.testing.assert_array_equal(found.counts, np.bincount(nearest, minlength=20))


def test_the_values_are_shares_of_cells_of_the_tails_mass_and_of_documents() -> None:
    found = on_a_line()
    found.update(line([90, 1, 0, 0, 0, 0, 9]))
    got = found.get()
    assert got["expected_tail_share"] == pytest.approx(0.1)
    assert got["tail_share"] == pytest.approx(10 / 100)
    assert got["unreached"] == pytest.approx((4 + 3) / 100)
    assert got["hit"] == pytest.approx(3 / 7)


def test_centres_and_tail_are_of_every_other_vector_and_the_counts_of_those_between() -> None:
    found = fitted([50, 3, 40, 7], [10, 50, 15, 25])
    np.testing.assert_allclose(found.centres[:, 0], [0, 1, 2, 3], atol=1e-12)
    np.testing.assert_array_equal(found.counts, [10, 50, 15, 25])
    np.testing.assert_array_equal(found.tail, [False, True, False, True])


def test_a_cell_that_crosses_the_tenth_belongs_to_the_tail() -> None:
    np.testing.assert_array_equal(fitted([30, 9, 61], [33, 33, 34]).tail, [True, True, False])


def test_what_is_expected_is_what_documents_of_the_reference_shares_do() -> None:
    rng, drawn = np.random.default_rng(9), []
    for _ in range(400):
        found = on_a_line()
        found.update(line(rng.multinomial(150, COUNTS / COUNTS.sum()).tolist()))
        drawn.append(found.get())
    for name in ("hit", "unreached", "tail_share"):
        values = [got[name] for got in drawn]
        expected = drawn[0][f"expected_{name}"]
        assert abs(np.mean(values) - expected) < 3.5 * np.std(values) / 20, name


def test_human_text_does_what_is_expected_and_a_few_documents_over_and_over_do_not() -> None:
    codebook = fit(vectors()[:2_000], 32, seed=3)
    healthy, narrow = Cells(codebook), Cells(codebook)
    healthy.update(vectors()[2_000:3_000])
    narrow.update(np.tile(vectors()[2_000:2_025], (40, 1)))
    got, lost = healthy.get(), narrow.get()
    assert got["hit"] == pytest.approx(got["expected_hit"], abs=0.05)
    assert got["unreached"] == pytest.approx(got["expected_unreached"], abs=0.05)
    assert got["tail_share"] == pytest.approx(got["expected_tail_share"], abs=0.04)
    assert lost["hit"] < 0.7 * lost["expected_hit"]
    assert lost["unreached"] > 0.3 + lost["expected_unreached"]


def test_there_is_nothing_to_say_about_no_documents() -> None:
    assert np.isnan(list(on_a_line().get().values())).all()
