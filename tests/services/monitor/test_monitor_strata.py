from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from monitor_world import LIMITS, PARTITIONS, SETTING, START, WINDOW, Sketcher, documents

from services.artefact import UNLABELLED
from services.monitor.change import ADMISSION
from services.monitor.core import MonitorCore
from services.monitor.decisions import Decisions
from services.monitor.state import State
from services.monitor.strata import LEAST, UNCALIBRATED, UNKNOWN, apportioned, moved, pooled, pools_of
from services.monitor.yardstick import Yardstick
from streams.stats.documents import Documents


@pytest.mark.parametrize(
    ("counts", "pools"),
    [
        ([LEAST], [0, -1]),
        ([LEAST - 1], [-1, -1]),
        ([LEAST, 10, LEAST, 290], [0, 2, 1, 2, -1]),
        ([LEAST, 10, 289], [0, -1, -1, -1]),
        ([100, 100, 100], [0, 0, 0, -1]),
        ([], [-1]),
    ],
)
def test_strata_with_few_documents_share_a_pool_if_that_has_enough(counts: list[int], pools: list[int]) -> None:
    assert pools_of(counts).tolist() == pools


def test_a_stratum_that_the_reference_lacks_is_uncalibrated_and_one_that_nobody_named_may_be_any() -> None:
    strata = np.array([0, 1, 2, 7, UNLABELLED], np.uint16)
    assert pooled(strata, pools_of([LEAST, 5])).tolist() == [0, *[UNCALIBRATED] * 3, UNKNOWN]


@given(st.lists(st.integers(0, 1_000), min_size=1).filter(any), st.integers(0, 5_000))
def test_apportioned_numbers_add_up_and_none_is_off_by_one(shares: list[int], total: int) -> None:
    found = apportioned(np.array(shares, np.float64), total)
    assert found.sum() == total
    assert (np.abs(found - np.array(shares) / sum(shares) * total) < 1).all()


def test_what_chance_does_to_proportions_has_moved_by_nothing_on_average() -> None:
    rng, there = np.random.default_rng(1), np.array([257, 153, 132, 115, 82, 77])
    for size in (100, 200, 1_000):
        found = [moved(rng.multinomial(size, there / there.sum()), there) for _ in range(500)]
        assert np.mean(found) == pytest.approx(0.0, abs=0.003)
        assert max(found) < 0.1
    assert moved(np.array([200, 0, 0, 0, 0, 0]), there) > 0.6


def of(rng: np.random.Generator, counts: Sequence[int]) -> Documents:
    """Return so many documents of each stratum; the higher its number, the higher their scores."""
    said = documents(rng, sum(counts))
    strata = np.repeat(np.arange(len(counts), dtype=np.uint16), counts)
    scores = said.scores + strata[:, np.newaxis].astype(np.float32)
    return said._replace(strata=strata, scores=scores).at(rng.permutation(len(strata)))


def test_the_null_has_the_strata_of_what_is_measured() -> None:
    rng = np.random.default_rng(1)
    made = Yardstick(of(rng, [6 * WINDOW, 6 * WINDOW]), WINDOW, pools_of([LEAST, LEAST]))
    other = of(rng, [WINDOW // 4, WINDOW - WINDOW // 4])
    for null, value in ((made.nulls, 1.0), (made.nulls_of(other), 1.25)):
        assert null["surprisal"].median == pytest.approx(value, abs=0.06)
    values = made.values(other)
    for name in ("surprisal", "novel_1"):
        assert abs(values[name] - made.nulls_of(other)[name].median) < 1.6 * made.nulls_of(other)[name].halfwidth
        assert abs(values[name] - made.nulls[name].median) > 2 * made.nulls[name].halfwidth
    for first in (WINDOW // 2 - 12, WINDOW // 2 + 12):  # as chance may have it
        assert made.nulls_of(of(rng, [first, WINDOW - first])) is made.nulls
    assert made.nulls_of(other) is made.nulls_of(other)


def test_there_is_no_null_for_what_the_reference_lacks() -> None:
    rng = np.random.default_rng(1)
    made = Yardstick(of(rng, [12 * WINDOW, WINDOW]), WINDOW, pools_of([LEAST, LEAST]))
    assert made.nulls_of(of(rng, [WINDOW // 4, WINDOW - WINDOW // 4])) == {}  # more than half of the pool
    foreign = of(rng, [WINDOW, 0])
    foreign.strata[: WINDOW // 10] = 9
    assert made.nulls_of(foreign) == {}
    assert made.is_calibrated(foreign).sum() == WINDOW - WINDOW // 10
    foreign.strata[WINDOW // 25 :] = 0
    assert made.nulls_of(foreign) is made.nulls
    foreign.strata[:] = UNLABELLED
    assert made.nulls_of(foreign) is made.nulls
    assert made.is_calibrated(foreign).all()


class Watched:
    """A monitor whose reference knows one stratum."""

    def __init__(self) -> None:
        self._rng = np.random.default_rng(1)
        made = Yardstick(documents(self._rng, 8 * WINDOW), WINDOW, pools_of([LEAST]))
        self._core, self._sketcher, self._offset = MonitorCore(SETTING, made), Sketcher(), 0
        self._state = State(decisions=START)

    def takes(self, group: str, count: int, *, fall: float = 0.0, stratum: int = 0) -> Decisions:
        """Take so many documents in each partition; return what is decided then."""
        for partition in range(PARTITIONS):
            said = documents(self._rng, count, fall)
            said.strata[:] = stratum
            sketch = self._sketcher.sketch(partition, {group: said})
            self._state = self._core.take(self._state, sketch, self._offset).state
            self._offset += 1
        return self._state.decisions


def test_uncalibrated_documents_lead_to_the_floor_and_to_no_alarm() -> None:
    watched = Watched()
    watched.takes("generate/text/a", ADMISSION)
    assert watched.takes("mix/text/all", 12 * WINDOW).control.alpha > LIMITS.floor
    assert watched.takes("generate/text/a", 500, fall=0.5, stratum=5).source("a").phase == "healthy"
    decided = watched.takes("mix/text/all", 12 * WINDOW, stratum=5)
    assert decided.control.alpha == LIMITS.floor
    assert "can't be compared with human text" in decided.reason
    assert watched.takes("generate/text/a", 500, fall=0.5).source("a").phase == "quarantined"


def test_a_source_that_speaks_of_nothing_that_the_reference_knows_is_not_admitted() -> None:
    watched = Watched()
    assert watched.takes("generate/text/a", 2 * ADMISSION, stratum=5).source("a").phase == "admitting"
    assert watched.takes("generate/text/a", 2 * ADMISSION).source("a").phase == "healthy"
