from math import inf, log, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from monitor_world import cells_of_stream, documents, took

from services.artefact import SCORES
from services.monitor import control, levels, measuring
from services.monitor.change import ADMISSION
from services.monitor.group import Rejected, fresh
from services.monitor.yardstick import Null
from streams.parts import Statistic
from streams.stats.novelty import MEMORY
from streams.stats.sequential import CELL

NULLS = {name: Null(100.0, 4.0) for name in (*control.TAIL, "jsd", "recall", "mmd2", "coverage")}
HUMAN = dict.fromkeys(NULLS, 100.0)


def test_each_value_stands_beside_its_null_and_its_excess() -> None:
    found = measuring.statistics({"types": 114.0, "jsd": 200.0, "odd": 3.0}, NULLS, 100.0)
    assert found == (
        Statistic(
            name="types",
            value=114.0,
            null_median=100.0,
            null_halfwidth=4.0,
            excess=pytest.approx(2.0),
            evidence=log(100),
        ),
        Statistic(name="jsd", value=200.0, null_median=100.0, null_halfwidth=4.0, excess=None, evidence=log(100)),
        Statistic(name="odd", value=3.0, evidence=log(100)),
    )
    assert [each.evidence for each in measuring.statistics({"types": 1.0}, NULLS, None)] == [None]
    assert measuring.statistics({"types": 1.0}, NULLS, 0.0)[0].evidence == pytest.approx(-690.8, abs=0.1)


def test_the_excess_of_the_tails_is_their_largest_and_none_where_one_can_not_be_told() -> None:
    excess = measuring.tail_excess(measuring.statistics({**HUMAN, "hapax": 91.0, "recall": 0.0}, NULLS, None))
    assert excess == pytest.approx(1.0), "recall is no tail"
    assert measuring.tail_excess(measuring.statistics({**HUMAN, "novel_2": nan}, NULLS, None)) is None
    assert measuring.tail_excess(measuring.statistics(HUMAN, {}, None)) is None
    assert measuring.tail_excess(()) is None
    without = {name: value for name, value in HUMAN.items() if not name.startswith("novel_")}
    assert measuring.tail_excess(measuring.statistics(without, NULLS, None)) == 0.0


@given(st.sampled_from(["types", "hapax", "good_turing", "distinct_2", "distinct_3"]), st.floats(0, 1))
def test_verification_narrows_by_the_statistic_that_loses_more_than_a_twentieth_beyond_chance(
    name: str, loss: float
) -> None:
    chance = 2**0.5 * 0.04
    verified = {**HUMAN, name: 100 * (1 - loss)}
    found = measuring.narrowed_by(verified, HUMAN, NULLS)
    if abs(loss - chance - 0.05) > 1e-9:
        assert found == (name if loss > chance + 0.05 else None)


def test_of_two_losses_the_larger_is_named_and_gains_or_other_statistics_are_none() -> None:
    verified = {**HUMAN, "types": 70.0, "hapax": 60.0, "jsd": 1.0, "novel_1": 1.0}
    assert measuring.narrowed_by(verified, HUMAN, NULLS) == "hapax"
    assert measuring.narrowed_by({**HUMAN, "jsd": 1.0, "novel_1": 1.0, "types": 200.0}, HUMAN, NULLS) is None
    assert measuring.narrowed_by(verified, HUMAN, {}) is None
    assert measuring.narrowed_by(verified, {}, NULLS) is None
    assert measuring.narrowed_by({**HUMAN, "types": 0.0}, HUMAN, {"types": Null(0.0, 0.0)}) is None


@given(st.floats(1, 20), st.integers(1, 50), st.integers(1, 50))
def test_the_costliest_check_is_the_one_that_takes_most_surprisal_beyond_the_rest(
    generated: float, few: int, many: int
) -> None:
    rejected = {
        "duplicate": Rejected(1_000 * many, 1_000 * many * (generated - 0.5)),  # what is common
        "format": Rejected(few, few * (generated + 2.0)),
        "depth": Rejected(few, few * (generated + 1.0)),
    }
    assert measuring.costliest(rejected, generated) == "format"
    assert measuring.costliest({"duplicate": rejected["duplicate"]}, generated) is None
    assert measuring.costliest({}, generated) is None
    shares = measuring.rejected_shares(rejected, 7)
    assert list(shares) == ["rejected_depth", "rejected_duplicate", "rejected_format"]
    assert shares["rejected_format"] == pytest.approx(few / (7 + 2 * few + 1_000 * many))


def test_an_alarm_tells_how_far_each_score_is_off_and_has_an_id_of_its_own() -> None:
    group = fresh(1, 4)
    ids = set()
    for cell in cells_of_stream(documents(np.random.default_rng(1), 6_000))[40:]:
        group, _ = took(group, cell, "generate")
        if not group.change.admitted:
            continue
        told = measuring.alarm("generate/text/a", group, group.change.scores, cell.documents, (1e7, 2))
        ids |= {
            told.event_id,
            measuring.alarm("generate/text/b", group, group.change.scores, cell.documents, (1e7, 2)).event_id,
        }
        assert told.alarm == "novel_3"
        means, baseline = cell.documents.scores.mean(axis=0, dtype=float), group.change.scores.astype(float)
        assert [(each.name, each.value, each.evidence) for each in told.statistics] == [
            (n, pytest.approx(mean), log(1e7)) for n, mean in zip(SCORES, means, strict=True)
        ]
        assert [each.null_median for each in told.statistics] == pytest.approx(baseline.mean(axis=0).tolist())
        widths = (1.96 * baseline.std(axis=0) / 5).tolist()
        assert [each.null_halfwidth for each in told.statistics] == pytest.approx(widths)
    assert len(ids) == 2 * ((6_000 - MEMORY - ADMISSION) // CELL + 1)
    assert measuring.alarm("g", group, group.change.scores, cell.documents, (inf, 0)).statistics[0].evidence == inf


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({}, None),
        ({"near_duplicates": 0.2}, None),
        ({"near_duplicates": 0.21}, "21% of its documents have a near-duplicate; 20% may"),
        ({"recall": 25.1, "coverage": 25.1, "distinct_3": 25.1}, None),
        ({"recall": 24.9}, "its recall is 24.90 where human text has 100.00; 25.00 is needed"),
        ({"coverage": 24.9}, "its coverage is 24.90"),
        ({"distinct_3": 24.9}, "its distinct_3 is 24.90"),
        ({"types": 0.0, "jsd": 1e9}, None),
    ],
)
def test_a_source_is_refused_for_copies_or_for_what_is_no_text(changed: dict[str, float], told: str | None) -> None:
    said = levels.fault({**HUMAN, **changed}, NULLS)
    assert (said is None) == (told is None)
    assert (said or "").startswith(told or "")


def test_where_nothing_was_measured_or_there_are_no_nulls_nobody_is_refused_but_for_copies() -> None:
    assert levels.fault({}, NULLS) is None
    assert levels.fault({"recall": 0.0}, {}) is None
    assert levels.fault({"recall": 0.0, "near_duplicates": 0.9}, {}) is not None
