import numpy as np
import pytest
from stats_texts import flat

from streams.stats.sketch import Distinct, Quantiles
from streams.stats.statistic import pack

SHARES = {"q05": 0.05, "q25": 0.25, "q50": 0.5, "q75": 0.75, "q95": 0.95}
TWICE = 2 * 0.0165  # beyond what is stated for 99 of 100 sketches, so that no coin makes a test fail


@pytest.mark.parametrize("texts", [3, 300, 10_000])
def test_it_estimates_how_many_words_there_are(texts: int) -> None:
    distinct = Distinct()
    distinct.update(flat(texts).hashes)
    got, types = distinct.get(), len(set(flat(texts).hashes.tolist()))
    assert got["distinct"] == pytest.approx(types, rel=3 * 0.0163)
    assert got["lower"] < got["distinct"] < got["upper"] < got["distinct"] * 1.08
    before = got
    distinct.update(flat(texts).hashes[::-1])
    assert distinct.get() == before


def test_hashes_are_told_apart_in_all_their_bits() -> None:
    distinct = Distinct()
    distinct.update(np.uint64(2**64 - 1) - np.arange(1_000, dtype=np.uint64))
    distinct.update(np.arange(1_000, dtype=np.uint64))
    assert distinct.get()["distinct"] == pytest.approx(2_000, rel=3 * 0.0163)


def test_its_stated_error_is_the_error_that_it_has() -> None:
    rng = np.random.default_rng(3)
    errors, inside = [], 0
    for _ in range(60):
        distinct = Distinct()
        distinct.update(rng.integers(0, 2**63, 40_000).astype(np.uint64))
        got = distinct.get()
        errors.append(got["distinct"] / 40_000 - 1)
        for bound in (got["lower"], got["upper"]):
            assert 0.028 < abs(bound / got["distinct"] - 1) < 0.038
        inside += got["lower"] <= 40_000 <= got["upper"]
    assert 0.012 < np.std(errors) < 0.021
    assert inside >= 52


def ranks_are_right(quantiles: Quantiles, values: np.ndarray) -> None:
    for name, value in quantiles.get().items():
        assert np.mean(values < value) == pytest.approx(SHARES[name], abs=TWICE)


def test_up_to_200_values_are_exact() -> None:
    values = np.random.default_rng(1).normal(size=200)
    quantiles = Quantiles()
    quantiles.update(values)
    assert quantiles.get() == {name: np.sort(values)[int(200 * share)] for name, share in SHARES.items()}


def test_ranks_are_right_in_one_pass_merged_and_restored() -> None:
    values = np.random.default_rng(1).lognormal(size=60_000)
    whole, merged = Quantiles(), Quantiles()
    for part in np.split(values, 60):
        one = Quantiles()
        one.update(part)
        merged.merge(one)
        again = Quantiles()
        again.restore(whole.state())
        whole = again
        whole.update(part)
    ranks_are_right(whole, values)
    ranks_are_right(merged, values)
    assert len(pack(merged.state())) < 5_000


def test_asking_does_not_change_the_state() -> None:
    quantiles = Quantiles()
    quantiles.update(np.random.default_rng(1).normal(size=90))
    before = pack(quantiles.state())
    quantiles.get()
    assert pack(quantiles.state()) == before


def test_other_arrays_and_no_values_are_taken_too() -> None:
    quantiles = Quantiles()
    quantiles.update(np.array([np.nan]))
    assert np.isnan(list(quantiles.get().values())).all()
    quantiles.update(np.arange(20, dtype=np.float32)[::2])
    assert quantiles.get()["q50"] == 10
