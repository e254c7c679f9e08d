from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from monitor_world import (
    ARTEFACT,
    MIX,
    PARTITIONS,
    SEEDS,
    SETTING,
    WIDTH,
    WINDOW,
    Run,
    Sketcher,
    World,
    admitted,
    by_id,
    core,
    documents,
    known,
    restore,
    yardstick,
)

from services import regions
from services.groups import MOST
from services.monitor import stored
from services.monitor.change import ADMISSION
from services.monitor.core import MonitorCore
from services.monitor.state import Step
from services.monitor.yardstick import Yardstick
from streams.errors import FatalError
from streams.events import BatchSketched
from streams.stats.documents import from_bytes
from streams.stats.novelty import MEMORY
from streams.stats.sequential import CELL

A, B = "generate/text/a", "generate/text/b"
TOPICS = [[A, B], [A], [B], ["verify/text/a", "verify/text/b"], [SEEDS], [MIX]]


class Turn(NamedTuple):
    """What is written to one topic and partition at once: how many documents of each of its groups."""

    topic: int
    partition: int
    counts: tuple[int, int]


turns = st.builds(
    Turn,
    st.integers(0, len(TOPICS) - 1),
    st.integers(0, PARTITIONS - 1),
    st.tuples(st.integers(1, 80), st.integers(0, 40)),
)


class Stop(NamedTuple):
    """A kill after so many sketches, before or after the transaction that stores what they have changed."""

    after: int
    is_stored: bool


stops = st.builds(Stop, st.integers(1, 6), st.booleans())


def story(world: World, told: Sequence[Turn], changes_at: int) -> list[BatchSketched]:
    """Return the sketches of what is told; source `a` changes at a turn."""
    rng = np.random.default_rng(len(told))
    events = []
    for number, turn in enumerate(told):
        groups = zip(TOPICS[turn.topic], turn.counts, strict=False)
        said = {g: documents(rng, count, 0.6 if g == A and number >= changes_at else 0.0) for g, count in groups}
        events.append(world.sketcher.sketch(turn.partition, said, gap=number % 2))
    return events


@given(st.lists(st.tuples(turns, st.integers(1, 40)), min_size=1, max_size=25), st.integers(0, 10))
@settings(max_examples=10)
def test_a_sketch_that_was_taken_before_changes_nothing(told: Sequence[tuple[Turn, int]], changes_at: int) -> None:
    world = admitted("a", "b", seeds=True)
    run = world.run
    for event, (_, again) in zip(story(world, [turn for turn, _ in told], changes_at), told, strict=True):
        run.take(event)
        step = core().take(run.state, run.log[-again], len(run.log) - again)
        assert known(step.state) == known(run.state)
        assert not step.measured


@given(
    st.lists(turns, min_size=12, max_size=25),
    st.integers(0, 10),
    st.lists(stops, min_size=1, max_size=5),
    st.integers(1, 4),
)
@settings(max_examples=20)
def test_stopped_anywhere_it_goes_on_as_without_a_stop(
    told: Sequence[Turn], changes_at: int, kills: list[Stop], every: int
) -> None:
    world = admitted("a", "b", seeds=True)
    calm, first = world.run, len(world.run.log)
    state, written = calm.state, list(calm.measured)
    for event in story(world, told, changes_at):
        calm.take(event)
    kept = stored.records(Step(state, frozenset(state.groups), ()))
    changed: set[str] = set()
    offset, since = first, 0
    while offset < len(calm.log):
        step = core().take(state, calm.log[offset], offset)
        state, offset, since = step.state, offset + 1, since + 1
        changed |= step.changed
        written += step.measured
        is_killed = bool(kills) and since == kills[-1].after
        if not is_killed and since % every:  # one engine stores after each batch, the other once a second
            continue
        records = stored.records(Step(state, frozenset(changed), ()))
        if is_killed:
            kept |= records if kills.pop().is_stored else {}
            state, changed, since = restore(kept, calm.log), set(), 0
            offset = state.offset + 1
        else:
            kept |= records
            changed.clear()
    assert known(state) == known(calm.state)
    assert by_id(written) == by_id(calm.measured)


def test_without_any_record_it_begins_anew_and_reads_all_sketches() -> None:
    state = restore({}, [])
    assert known(state) == known(Run().state)


def test_the_oldest_sketch_that_is_read_again_is_that_of_the_oldest_cell_that_waits() -> None:
    run, sketcher = Run(), Sketcher()
    rng = np.random.default_rng(1)

    def oldest() -> int:
        return stored.oldest(stored.records(Step(run.state, frozenset(), ())))

    assert stored.oldest({}) == 0
    run.take(sketcher.sketch(0, {A: documents(rng, 20)}))
    assert oldest() == 1
    run.take(sketcher.sketch(0, {A: documents(rng, 30)}))
    run.take(sketcher.sketch(0, {A: documents(rng, 50)}))
    assert oldest() == 1
    run.take(sketcher.sketch(1, {A: documents(rng, 50)}))
    assert oldest() == 2, "two cells of partition 0 wait for the next window"


def test_a_missing_sketch_raises_and_names_the_place() -> None:
    world = admitted("a")
    world.sketcher.sketch(0, {A: documents(np.random.default_rng(1), 30)}, gap=0)
    at = world.run.state.positions["generate", 0]
    late = world.sketcher.sketch(0, {A: documents(np.random.default_rng(2), 30)})
    before = known(world.run.state)
    with pytest.raises(FatalError, match=rf"begins at {at + 30} of generate 0, where {at} is expected"):
        world.run.take(late)
    assert known(world.run.state) == before


def test_a_missing_cell_raises() -> None:
    world = admitted("a")
    event = world.sketcher.sketch(0, {A: documents(np.random.default_rng(1), 60)})
    (_, *rest) = sorted(event.groups)
    assert rest
    with pytest.raises(FatalError, match="sketches are missing"):
        world.run.take(replace(event, groups={name: event.groups[name] for name in rest}))


def test_of_a_sketch_by_another_artefact_only_its_place_is_noted() -> None:
    world = admitted("a")
    before = world.run.state
    world.sketcher.refitted("other")
    event = world.sketcher.sketch(0, {A: documents(np.random.default_rng(1), 200)})
    step = world.run.take(event)
    assert step.state.groups is before.groups
    assert step.state.decisions is before.decisions
    assert not step.measured
    assert not step.changed
    assert step.state.positions["generate", 0] == event.to_position
    assert step.state.offset == before.offset + 1


@pytest.mark.parametrize("starts_late", [False, True])
def test_with_the_next_reference_it_goes_on_though_sketches_by_either_were_passed_over(starts_late: bool) -> None:
    (run, sketcher), rng = admitted("a"), np.random.default_rng(1)
    last = [sketcher.sketch(partition, {A: documents(rng, 60 + 70 * partition)}) for partition in range(PARTITIONS)]
    sketcher.refitted("next")
    new = [sketcher.sketch(turn % 2, {A: documents(rng, 50)}) for turn in range(16)]
    log = [*run.log, *last, *new]
    following = MonitorCore(replace(SETTING, artefact="next", version=2), yardstick())
    ends = len(run.log) + (len(last) + 1 if starts_late else 1)
    state, windows = run.state, list(run.measured)
    for offset in range(len(run.log), len(log)):
        step = (core() if offset < ends else following).take(state, log[offset], offset)
        state = step.state
        windows += step.measured
    late = [each for each in windows if each.artefact_hash == "next"]
    assert len(late) >= 5
    assert {(each.documents, each.reference_version) for each in late} == {(WINDOW, 2)}
    assert len({each.event_id for each in windows}) == len(windows)
    assert [each.window for each in windows] == sorted(each.window for each in windows)
    assert not state.groups[A].change.admitted
    assert len(state.groups[A].change.scores) == 25 * sum(
        len(event.groups) for event in log[max(ends, len(log) - 16) :]
    )
    assert state.decisions.source("a").phase == "healthy"


def test_an_alarm_after_another_reference_is_not_taken_for_a_repeat() -> None:
    run, sketcher = admitted("a")
    following = MonitorCore(replace(SETTING, artefact="next", version=2), yardstick())
    tested = run.state.groups[A].change.tested
    ids = []
    for engine, healthy in ((core(), 0), (following, ADMISSION + tested)):
        rng, state = np.random.default_rng(1), run.state
        sketcher.refitted(ARTEFACT if engine is core() else "next")
        for turn in range((healthy + 500) // 25):
            said = documents(np.random.default_rng(turn), 25) if turn * 25 < healthy else documents(rng, 25, 0.9)
            run.log.append(sketcher.sketch(turn % 2, {A: said}))
            step = engine.take(state, run.log[-1], len(run.log) - 1)
            state = step.state
            ids += [each.event_id for each in step.measured if each.alarm is not None]
        run.state = replace(state, decisions=run.state.decisions)
    assert len(ids) == len(set(ids)) == 2


def test_there_are_never_more_than_64_groups() -> None:
    run, sketcher = Run(), Sketcher()
    rng = np.random.default_rng(1)
    for number in range(0, 80, 8):
        groups = {f"generate/text/{each:02}": documents(rng, 25) for each in range(number, number + 8)}
        step = run.take(sketcher.sketch(0, groups))
        assert len(step.state.groups) == min(MOST, number + 8) <= 64
        assert step.changed == {name for name in groups if name in step.state.groups}
    assert {f"generate/text/{each:02}" for each in range(64)} == set(run.state.groups)
    run.take(sketcher.sketch(0, {"generate/text/03": documents(rng, 25), "generate/text/70": documents(rng, 25)}))
    assert run.state.groups["generate/text/03"].windows.next == {0: 2}


@given(
    st.integers(0, 2**32), st.permutations([(group, part) for group in (A, B, MIX) for part in range(PARTITIONS)] * 2)
)
@settings(max_examples=10)
def test_a_window_is_measured_once_as_the_yardstick_says(seed: int, order: Sequence[tuple[str, int]]) -> None:
    run, sketcher = Run(), Sketcher()
    rng = np.random.default_rng(seed)
    for group, partition in order:
        run.take(sketcher.sketch(partition, {group: documents(rng, 75)}))
    assert sorted((each.group, each.window) for each in run.measured) == [
        (group, window) for group in (A, B, MIX) for window in range(3)
    ]
    for each in run.measured:
        cells = [
            from_bytes(event.groups[f"{each.group}#{number}"])
            for partition in range(PARTITIONS)
            for number in range(each.window * WIDTH, each.window * WIDTH + WIDTH)
            for event in run.log
            if event.source_partition == partition and f"{each.group}#{number}" in event.groups
        ]
        types = len(np.unique(np.concatenate([cell.words for cell in cells])))
        measured = {found.name: found for found in each.statistics}
        assert measured["types"].value == types
        assert measured["types"].null_median == yardstick().nulls["types"].median
        assert measured["heaps_words"].value == (each.window + 1) * WINDOW * 64
        assert (each.documents, each.alarm, each.alarm_kind) == (WINDOW, None, "none")
        assert run.log[each.last_offset].occurred_at == each.occurred_at
        assert (each.artefact_hash, each.reference_version) == (ARTEFACT, 1)


def test_a_window_of_a_source_tells_which_regions_it_neglects_and_no_other_group_does() -> None:
    run, sketcher, rng = Run(), Sketcher(), np.random.default_rng(3)
    for group in (MIX, SEEDS, "verify/text/a", A):
        assert run.state.decisions.reached == {}
        said = documents(rng, WINDOW)
        said = said._replace(vectors=np.abs(said.vectors))
        for partition in range(PARTITIONS):
            part = said.part(partition * WIDTH * CELL, (partition + 1) * WIDTH * CELL)
            run.take(sketcher.sketch(partition, {group: part}))
    decided, of = run.state.decisions, yardstick().regions
    assert decided.reached == {"a": tuple(regions.counted(said.vectors, of).tolist())}
    assert decided.neglected == regions.neglected(np.array(decided.reached["a"]), of) != ()


def test_novelty_is_measured_only_where_its_memory_was_full_and_evidence_where_there_is_a_baseline() -> None:
    run, _ = admitted("a")
    seen = {each.window: {found.name: found for found in each.statistics} for each in run.measured}
    warm, known = MEMORY // WINDOW, (MEMORY + ADMISSION) // WINDOW
    assert len(seen) > warm + 5
    for window, found in seen.items():
        assert ("novel_1" in found) == ("novel_2" in found) == ("novel_3" in found) == (window >= warm)
        assert (found["types"].evidence is None) == (window < known - 1), "its last cell ends the baseline"


def test_a_second_opinion_is_shown_of_groups_with_a_baseline_and_decides_nothing() -> None:
    world, rng = admitted("a"), np.random.default_rng(1)
    run, before = world.run, len(world.run.measured)
    for turn in range(80):  # a shift that the test's tolerance leaves alone
        said = {A: documents(rng, 50, 0.04)} if turn % 4 < 2 else {MIX: documents(rng, 50)}
        run.take(world.sketcher.sketch(turn % 2, said))
    names = {"adwin_drifts", "page_hinkley_drifts"}
    shown = [(each, {found.name: found for found in each.statistics if found.name in names}) for each in run.measured]
    for at, (each, found) in enumerate(shown):
        is_known = each.group == A and each.window >= (MEMORY + ADMISSION) // WINDOW - 1
        assert set(found) == (names if is_known else set())
        assert all(one.null_median is None and one.excess is None for one in found.values())
        assert at >= before or not any(one.value for one in found.values()), "nothing has changed yet"
    drifts = run.state.groups[A].change.drifts()
    assert min(drifts.values()) >= 1
    last = [found for each, found in shown if each.group == A][-1]
    assert {name: found.value for name, found in last.items()} == drifts
    assert not run.alarms()
    assert run.state.decisions.source("a").phase == "healthy"


def test_without_nulls_the_share_stays_at_the_floor_and_with_human_text_it_rises() -> None:
    for few, ends in ((True, 0.05), (False, 0.3)):
        world, rng = admitted("a"), np.random.default_rng(1)
        blind = Yardstick(documents(rng, 2 * WINDOW), WINDOW)
        engine = MonitorCore(SETTING, blind if few else yardstick())
        state = world.run.state
        for turn in range(60):
            event = world.sketcher.sketch(turn % 2, {MIX: documents(rng, 50)})
            state = engine.take(state, event, len(world.run.log) + turn).state
        assert state.decisions.control.window == 29
        assert state.decisions.control.alpha == pytest.approx(ends), few


def test_real_samples_that_come_again_with_the_next_epoch_do_not_lower_the_share() -> None:
    world, rng = admitted("a"), np.random.default_rng(1)
    run = world.run
    for turn in range(120):
        run.take(world.sketcher.sketch(turn % 2, {MIX: documents(rng, 50, 0.4 if turn > 80 else 0.0)}))
    last = [each for each in run.measured if each.group == MIX][-1]
    excess = {each.name: each.excess for each in last.statistics}
    assert excess["novel_1"] is not None
    assert excess["novel_1"] > 1, "its documents say little that the last ones did not"
    assert run.state.decisions.control.alpha == pytest.approx(0.3)
