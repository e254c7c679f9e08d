import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.linalg import sqrtm
from sklearn.preprocessing import normalize
from stats_vectors import vectors
from vendi_score import vendi

from streams.stats.spectrum import Spectrum, fit


def after(reference: NDArray[np.float64], seen: NDArray[np.float64]) -> dict[str, float]:
    found = Spectrum(fit(reference))
    for start in range(0, len(seen), 25):
        found.update(seen[start : start + 25])
    return dict(found.get())


@pytest.mark.filterwarnings("ignore:Please import `csr_matrix`:DeprecationWarning")  # inside the package
@pytest.mark.parametrize("count", [40, 500])
def test_vendi_agrees_with_the_package_on_the_kernel_of_all_pairs(count: int) -> None:
    seen = vectors()[:count]
    assert after(vectors()[1_000:1_500], seen)["vendi"] == pytest.approx(vendi.score_X(seen), abs=1e-9)
    assert after(vectors()[1_000:1_500], seen)["vendi"] == pytest.approx(vendi.score_dual(seen), abs=1e-9)


def test_vendi_is_1_for_one_document_and_d_for_d_that_share_nothing() -> None:
    assert after(vectors()[:100], np.tile(vectors()[3], (50, 1)))["vendi"] == pytest.approx(1)
    assert after(vectors()[:100], np.eye(64))["vendi"] == pytest.approx(64)


def test_frechet_agrees_with_the_square_root_of_the_product_of_covariances() -> None:
    one, other = normalize(vectors()[:800]), normalize(vectors()[800:1_600] * np.linspace(0.5, 1.5, 64))
    root = sqrtm(np.cov(one.T) @ np.cov(other.T)).real
    gap = np.sum((one.mean(0) - other.mean(0)) ** 2)
    expected = gap + np.trace(np.cov(one.T) + np.cov(other.T) - 2 * root)
    assert after(one, other)["frechet"] == pytest.approx(expected, rel=1e-7)


def test_frechet_is_right_with_fewer_documents_than_dimensions() -> None:
    one, other = normalize(vectors()[:800]), normalize(vectors()[800:810])
    ones, others = one - one.mean(0), other - other.mean(0)
    # The singular values of the product of centred vectors are the roots that the formula asks for.
    cross = np.linalg.svd(ones @ others.T, compute_uv=False).sum() / np.sqrt(799 * 9)
    gap = np.sum((one.mean(0) - other.mean(0)) ** 2)
    expected = gap + (ones**2).sum() / 799 + (others**2).sum() / 9 - 2 * cross
    assert after(one, other)["frechet"] == pytest.approx(expected, rel=1e-10)


def test_of_the_same_source_frechet_falls_as_one_over_the_number_of_documents() -> None:
    reference = vectors()[2_000:]
    few = np.mean([after(reference, vectors()[start : start + 200])["frechet"] for start in range(0, 2_000, 200)])
    many = np.mean([after(reference, vectors()[start : start + 1_000])["frechet"] for start in (0, 1_000)])
    assert 3 < few / many < 6
    assert after(reference, reference)["frechet"] == pytest.approx(0, abs=1e-12)


def test_only_directions_count_and_a_vector_of_length_0_has_none() -> None:
    lengths = np.random.default_rng(2).uniform(0.1, 9, (300, 1))
    plain = after(vectors()[:500], vectors()[500:800])
    scaled = after(vectors()[:500], np.concatenate((vectors()[500:800] * lengths, np.zeros((7, 64)))))
    assert scaled == pytest.approx(plain, rel=1e-9)


def test_documents_of_fewer_topics_have_fewer_directions() -> None:
    human = after(vectors()[:1_000], vectors()[1_000:1_500])
    narrow = after(vectors()[:1_000], vectors()[1_000:1_500] * np.where(np.arange(64) < 8, 1, 0.3))
    assert narrow["vendi"] < 0.7 * human["vendi"]
    assert narrow["frechet"] > 3 * human["frechet"]


def test_there_is_nothing_to_say_about_no_documents_and_little_about_one() -> None:
    assert np.isnan(list(after(vectors()[:100], vectors()[:0]).values())).all()
    one = after(vectors()[:100], vectors()[:1])
    assert one["vendi"] == pytest.approx(1)
    assert np.isnan(one["frechet"])
