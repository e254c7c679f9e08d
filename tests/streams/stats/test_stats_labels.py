from itertools import chain, combinations

import numpy as np
import pytest

from streams.stats.labels import Labels

REFERENCE = {"sum": 0.4, "product": 0.35, "quotient": 0.15}


def test_the_distance_is_the_most_that_any_set_of_labels_gains_or_loses() -> None:
    labels = ["sum"] * 30 + ["product"] * 50 + ["riddle"] * 20
    found = Labels(REFERENCE)
    found.update(labels)
    expected, seen = REFERENCE | {"other": 0.1}, {"sum": 0.3, "product": 0.5, "other": 0.2}
    sets = chain.from_iterable(combinations(expected, size) for size in range(5))
    most = max(abs(sum(seen.get(name, 0) - expected[name] for name in some)) for some in sets)
    got = found.get()
    assert got["total_variation"] == pytest.approx(most)
    assert got == pytest.approx(
        {"total_variation": most, "share_sum": 0.3, "share_product": 0.5, "share_quotient": 0, "share_other": 0.2}
    )


def test_other_may_be_named_and_is_then_what_the_rest_leaves() -> None:
    found = Labels({"other": 0.25, "sum": 0.75})
    found.update(["sum", "sum", "sum", "other"])
    assert found.get() == {"total_variation": 0, "share_sum": 0.75, "share_other": 0.25}


def test_there_is_nothing_to_say_about_no_labels() -> None:
    found = Labels(REFERENCE)
    found.update([])
    assert np.isnan(list(found.get().values())).all()


@pytest.mark.parametrize("shares", [{"sum": 0.7, "product": 0.4}, {"sum": -0.1}])
def test_shares_of_more_than_one_whole_are_refused(shares: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="are no shares of one whole"):
        Labels(shares)
