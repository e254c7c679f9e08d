import numpy as np
import pytest
from stats_texts import flat

from streams.stats.lengths import LONGEST, Lengths
from streams.words import Flat

SHARES = {"p05": 0.05, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p95": 0.95, "p99": 0.99}


def lengths_of(sizes: np.ndarray) -> dict[str, float]:
    lengths = Lengths()
    lengths.update(Flat(np.empty(0, np.uint64), np.concatenate(([0], np.cumsum(sizes)))))
    return dict(lengths.get())


def test_quantiles_are_those_of_all_lengths_within_one_in_a_hundred() -> None:
    rng = np.random.default_rng(1)
    for sizes in (np.diff(flat(1_000).starts), rng.lognormal(5, 2, 3_000).astype(int).clip(0, LONGEST)):
        got = lengths_of(sizes)
        assert got["mean"] == pytest.approx(sizes.mean())
        assert got["sd"] == pytest.approx(sizes.std(ddof=1))
        for name, share in SHARES.items():
            assert got[name] == pytest.approx(np.quantile(sizes, share, method="inverted_cdf"), rel=0.01), name


def test_quantiles_of_short_documents_are_exact() -> None:
    sizes = np.random.default_rng(2).integers(0, 50, 20)
    for name, share in SHARES.items():
        assert lengths_of(sizes)[name] == np.quantile(sizes, share, method="inverted_cdf"), name


def test_every_length_lies_in_the_bin_that_gives_it_back() -> None:
    for size in (0, 1, 49, 50, 51, 52, 999, 54_321, LONGEST - 1, LONGEST):
        assert lengths_of(np.array([size]))["p50"] == pytest.approx(size, rel=0.01)


def test_a_document_beyond_the_longest_counts_in_the_last_bin_and_fully_in_the_mean() -> None:
    got = lengths_of(np.array([5 * LONGEST]))
    assert got["p50"] == pytest.approx(LONGEST, rel=0.02)
    assert got["mean"] == 5 * LONGEST
    assert np.isnan(got["sd"])
    assert all(np.isnan(value) for value in lengths_of(np.empty(0, int)).values())
