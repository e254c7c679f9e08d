from dataclasses import replace
from math import sqrt

import numpy as np
import pytest
from monitor_world import LIMITS, PARTITIONS, SETTING, Run, Sketcher, admitted, documents

from services.groups import parsed
from services.monitor import decisions as deciding
from services.monitor import together
from services.monitor.change import ADMISSION
from services.monitor.core import declare
from streams.stats.novelty import MEMORY
from streams.stats.sequential import CELL

SOURCES = ("a", "b", "c")
ALL, SEEDS = "generate/text/all", "seed/text/human"


def feed(run: Run, sketcher: Sketcher, falls: dict[str, float], turns: int, seed: int = 1) -> None:
    """Let sources say a cell each in turns, until there is an alarm."""
    rng, before = np.random.default_rng(seed), len(run.alarms())
    for turn in range(turns):
        said = {f"generate/text/{name}": documents(rng, CELL, fall) for name, fall in falls.items()}
        run.take(sketcher.sketch(turn % PARTITIONS, said))
        if len(run.alarms()) > before:
            return


def phases(run: Run) -> set[str]:
    return {run.state.decisions.source(name).phase for name in SOURCES}


def test_small_changes_of_all_sources_add_up_to_an_alarm_that_puts_the_share_to_the_floor_and_nobody_out() -> None:
    run, sketcher = admitted(*SOURCES)
    feed(run, sketcher, dict.fromkeys(SOURCES, 0.16), 100)
    (alarm,) = run.alarms()
    assert (alarm.group, alarm.alarm_kind) == (ALL, "change")
    assert [each.name for each in alarm.statistics].index(alarm.alarm) >= 0
    assert all(each.null_median is not None for each in alarm.statistics)
    decided = run.state.decisions
    assert phases(run) == {"healthy"}
    assert not deciding.held(decided)
    assert (decided.control.alpha, decided.control.phase) == (LIMITS.floor, "dwelling")
    assert decided.reason.startswith("all sources of text together changed: ")
    for name in SOURCES:
        assert run.state.groups[f"generate/text/{name}"].change.evidence()[0] < sqrt(SETTING.threshold)
    assert run.state.groups[ALL].change.evidence()[0] < 10, "it begins anew"
    assert ALL in run.take(sketcher.sketch(0, {"generate/text/a": documents(np.random.default_rng(2), CELL)})).changed


def test_a_source_that_stands_out_is_told_by_its_own_name_and_what_it_said_is_not_told_again() -> None:
    for seed in range(5):
        run, sketcher = admitted(*SOURCES)
        feed(run, sketcher, {"a": 0.3, "b": 0.0, "c": 0.0}, 200, seed)
        assert [each.group for each in run.alarms()] == ["generate/text/a"]
        assert run.state.groups[ALL].change.evidence()[0] < SETTING.threshold
        feed(run, sketcher, {"a": 0.3, "b": 0.0, "c": 0.0}, 40, seed)
        assert len(run.alarms()) == 1


def test_after_a_source_s_own_alarm_all_together_are_tested_anew() -> None:
    run, sketcher = admitted(*SOURCES)
    feed(run, sketcher, {"a": 0.3}, 200)
    assert [each.group for each in run.alarms()] == ["generate/text/a"]
    assert run.state.groups[ALL].change.evidence()[0] == 0.0


def test_where_one_source_is_another_model_all_together_are_tested_anew() -> None:
    run, sketcher = admitted(*SOURCES)
    feed(run, sketcher, dict.fromkeys(SOURCES, 0.1), 4)
    known = declare(run.state, {"a": "one"})
    assert known.groups[ALL].change.evidence()[0] > 1
    assert declare(known, {"a": "one"}).groups[ALL] is known.groups[ALL]
    assert declare(known, {"a": "another"}).groups[ALL].change.evidence()[0] == 0.0


def test_other_shares_of_different_sources_are_no_change() -> None:
    run, sketcher = Run(), Sketcher()
    rng = np.random.default_rng(1)
    falls = {"a": 0.0, "b": 0.7}
    for turn in range((MEMORY + ADMISSION) // CELL + 50):
        said = {f"generate/text/{name}": documents(rng, CELL, fall) for name, fall in falls.items()}
        run.take(sketcher.sketch(turn % PARTITIONS, said))
    assert {run.state.decisions.source(name).phase for name in falls} == {"healthy"}
    feed(run, sketcher, {"b": 0.7}, 80)
    feed(run, sketcher, {"a": 0.0}, 80)
    assert run.alarms() == []
    assert run.state.groups[ALL].change.tested > 160 * CELL


def test_where_the_human_seeds_move_all_sources_have_shifted() -> None:
    run, sketcher = admitted(*SOURCES, seeds=True)
    rng = np.random.default_rng(1)
    while run.state.groups[SEEDS].change.evidence()[0] < sqrt(SETTING.threshold):
        run.take(sketcher.sketch(0, {SEEDS: documents(rng, CELL, 0.2)}))
    before = run.state.decisions
    feed(run, sketcher, dict.fromkeys(SOURCES, 0.16), 100)
    assert [(each.group, each.alarm_kind) for each in run.alarms()] == [(ALL, "shift")]
    assert run.state.decisions.control == before.control


@pytest.mark.parametrize(("odds", "stands_out"), [(0.9, False), (1.1, True)])
def test_there_is_no_alarm_of_all_while_one_source_has_the_root_of_the_evidence_that_is_needed(
    odds: float, stands_out: bool
) -> None:
    run, _ = admitted(*SOURCES)
    groups = dict(run.state.groups)

    def with_evidence(name: str, evidence: float) -> None:
        change = groups[name].change
        groups[name] = replace(groups[name], change=replace(change, log_m=np.full_like(change.log_m, np.log(evidence))))

    with_evidence(ALL, 1.01 * SETTING.threshold)
    with_evidence("generate/text/b", odds * sqrt(SETTING.threshold))
    of = parsed("generate/text/a")
    assert together.is_alarm(groups[ALL], groups, of, SETTING.threshold) == (not stands_out)
    assert together.is_alarm(groups[ALL], groups, of._replace(task="other"), SETTING.threshold)
    assert not together.is_alarm(groups[ALL], groups, of, 1.1 * SETTING.threshold)
