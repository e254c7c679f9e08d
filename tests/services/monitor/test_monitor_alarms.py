from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from monitor_world import (
    ARTEFACT,
    PARTITIONS,
    SEEDS,
    SETTING,
    START,
    WINDOW,
    Run,
    Sketcher,
    World,
    admitted,
    documents,
    without_windows,
    yardstick,
)

from services.monitor import decisions as deciding
from services.monitor.cell import cells_of
from services.monitor.change import ADMISSION
from services.monitor.core import MonitorCore, declare
from services.monitor.decisions import PROBATION_DOCUMENTS
from services.monitor.state import State
from streams.events import BatchSketched
from streams.parts import OPEN_END, covered
from streams.stats.documents import Documents
from streams.stats.novelty import MEMORY
from streams.stats.sequential import CELL

A, B, ACCEPTED = "generate/text/a", "generate/text/b", "verify/text/a"
MOVED = 0.6


def feed(run: Run, sketcher: Sketcher, group: str, said: Documents, at_once: int = 50) -> None:
    """Let a group say documents, in turns of the partitions."""
    for turn, start in enumerate(range(0, len(said.keys), at_once)):
        run.take(sketcher.sketch(turn % PARTITIONS, {group: said.part(start, start + at_once)}))


def kinds(run: Run) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for each in run.alarms():
        found.setdefault(each.group, []).append(each.alarm_kind)
    return found


def suspects_at_the_alarm(run: Run, event: BatchSketched) -> set[int]:
    """Return the suspects when the next sketch raises the alarm; none if it does not."""
    test = run.state.groups[A].change
    opened = {A: run.state.groups[A].opened[event.source_partition]}
    for cell in cells_of(event, 0, opened).get(A, []):
        test = test.take(cell)
        if test.evidence()[0] >= SETTING.threshold:
            return set(test.suspects.tolist())
    return set()


def test_a_source_that_changes_is_quarantined_at_once_and_the_others_go_on() -> None:
    run, sketcher = admitted("a", "b", seeds=True)
    rng = np.random.default_rng(1)
    before = run.state.decisions
    assert {name: each.phase for name, each in before.sources.items()} == {"a": "healthy", "b": "healthy"}
    run.state = replace(run.state, decisions=replace(before, control=replace(before.control, alpha=0.3, integral=0.3)))
    for _ in range(20):
        said = {A: documents(rng, 25, MOVED), B: documents(rng, 25)}
        if run.take(sketcher.sketch(0, said)).measured and run.alarms():
            break
    (alarm,) = run.alarms()
    assert (alarm.group, alarm.alarm_kind, alarm.documents <= 500) == (A, "change", True)
    assert {
        each.name: np.sign(each.value - (each.null_median or 0.0))
        for each in alarm.statistics
        if each.name == alarm.alarm
    } == {alarm.alarm: -1}
    decided = run.state.decisions
    assert {name: each.phase for name, each in decided.sources.items()} == {"a": "quarantined", "b": "healthy"}
    assert deciding.weights(decided) == {"a": 0.0}
    assert (decided.control.alpha, decided.control.phase) == (0.05, "dwelling")
    assert decided.regenerate == ("a",)
    assert set(decided.sources["a"].held) == set(range(PARTITIONS))
    assert decided.sources["a"].since == alarm.occurred_at == run.log[-1].occurred_at
    assert f"source a changed: {alarm.alarm} fell" in decided.reason
    assert decided.inputs["documents"] == alarm.documents
    feed(run, sketcher, A, documents(rng, 2_000, MOVED))
    assert len(run.alarms()) == 1, "candidates that were under way are no news"
    feed(run, sketcher, B, documents(rng, 1_000))
    assert len(run.alarms()) == 1


def test_when_the_humans_move_first_it_is_a_shift_and_nobody_is_quarantined() -> None:
    run, sketcher = admitted("a", "b", seeds=True)
    rng = np.random.default_rng(1)
    before = run.state.decisions
    feed(run, sketcher, SEEDS, documents(rng, 600, MOVED))
    feed(run, sketcher, A, documents(rng, 600, MOVED))
    assert kinds(run) == {SEEDS: ["shift"], A: ["shift"]}
    assert run.state.decisions.number == before.number, "nothing is decided"
    feed(run, sketcher, SEEDS, documents(rng, 4_500, MOVED))
    feed(run, sketcher, A, documents(rng, 4_500, MOVED))
    assert len(run.alarms()) == 2, "what is new has become normal"
    feed(run, sketcher, A, documents(rng, 600, 2 * MOVED))
    assert kinds(run) == {SEEDS: ["shift"], A: ["shift", "change"]}
    assert run.state.decisions.source("a").phase == "quarantined"
    assert run.state.decisions.source("b").phase == "healthy"


def test_while_the_humans_are_about_to_alarm_a_source_that_moves_with_them_shifts() -> None:
    run, sketcher = admitted("a", seeds=True)
    rng = np.random.default_rng(1)
    while run.state.groups[SEEDS].change.evidence()[0] < SETTING.threshold**0.5:
        feed(run, sketcher, SEEDS, documents(rng, 25, MOVED))
    assert not run.alarms()
    feed(run, sketcher, A, documents(rng, 600, MOVED))
    assert kinds(run) == {A: ["shift"]}
    assert run.state.decisions.source("a").phase == "healthy"


def test_a_source_that_moves_alone_changes_though_there_are_seeds_or_none() -> None:
    for seeds in (True, False):
        run, sketcher = admitted("a", seeds=seeds)
        feed(run, sketcher, A, documents(np.random.default_rng(1), 600, MOVED))
        assert kinds(run) == {A: ["change"]}
        assert run.state.decisions.source("a").phase == "quarantined"


def test_after_the_humans_moved_and_fell_silent_a_source_that_changes_again_is_quarantined() -> None:
    run, sketcher = admitted("a", seeds=True)
    rng = np.random.default_rng(1)
    feed(run, sketcher, SEEDS, documents(rng, 600, MOVED))
    feed(run, sketcher, A, documents(rng, 4_500, MOVED))
    feed(run, sketcher, A, documents(rng, 600, 2 * MOVED))
    assert kinds(run) == {SEEDS: ["shift"], A: ["shift", "change"]}
    assert run.state.decisions.source("a").phase == "quarantined"


def test_a_source_that_began_after_the_humans_had_moved_is_quarantined_when_it_changes() -> None:
    run, sketcher = admitted("a", seeds=True)
    rng = np.random.default_rng(1)
    feed(run, sketcher, SEEDS, documents(rng, 600, MOVED))
    feed(run, sketcher, "generate/text/late", documents(rng, 4_200), at_once=100)
    feed(run, sketcher, "generate/text/late", documents(rng, 600, MOVED))
    assert kinds(run) == {SEEDS: ["shift"], "generate/text/late": ["change"]}
    assert run.state.decisions.source("late").phase == "quarantined"


class Batch(NamedTuple):
    """Candidates that are written at once to a partition, and how much before or after them verify's sketch is read."""

    documents: int
    partition: int
    moved: int


batches = st.builds(Batch, st.integers(1, 120), st.integers(0, PARTITIONS - 1), st.integers(-6, 6))


@given(
    healthy=st.lists(batches, max_size=6),
    changed=st.lists(batches, min_size=8, max_size=16),
    accepted=st.sampled_from([0.3, 0.7, 1.0]),
    fall=st.sampled_from([0.25, MOVED]),
    seed=st.integers(0, 2**32),
)
@settings(max_examples=30)
def test_every_suspect_that_was_or_will_be_accepted_is_held(
    healthy: list[Batch], changed: list[Batch], accepted: float, fall: float, seed: int
) -> None:
    run, sketcher = admitted("a")
    run.state = without_windows(run.state)
    rng = np.random.default_rng(seed)
    order: list[tuple[int, str, BatchSketched]] = []
    reached = 0  # verify's sketches keep their own order
    for number, batch in enumerate([*healthy, *changed]):
        said = documents(rng, batch.documents, fall if number >= len(healthy) else 0.0)
        order.append((number, "generate", sketcher.sketch(batch.partition, {A: said})))
        reached = max(reached, number + batch.moved)
        parts = np.where(rng.random(batch.documents) < accepted, rng.integers(0, PARTITIONS, batch.documents), -1)
        for part in range(PARTITIONS):
            mine = Documents(*(column[parts == part] for column in said))
            others = documents(rng, batch.documents % 7)
            order.append((reached, "verify", sketcher.sketch(part, {ACCEPTED: mine, "verify/text/b": others})))
    suspects: set[int] = set()
    for _, word, event in sorted(order, key=lambda each: each[:2]):
        if word == "generate" and run.state.decisions.source("a").phase == "healthy":
            suspects |= suspects_at_the_alarm(run, event)
        run.take(event)
    held = deciding.held(run.state.decisions)
    assert bool(held) == bool(suspects) == (run.state.decisions.source("a").phase == "quarantined")
    lie = [sketcher.places["verify", key] for key in suspects if ("verify", key) in sketcher.places]
    assert all(covered(held, "a", place.partition, place.offset) for place in lie)
    assert not any(covered(held, "b", place.partition, place.offset) for place in sketcher.places.values())
    for number in range(PARTITIONS) if held else ():
        assert covered(held, "a", number, sketcher.positions["verify", number]), "what is accepted later is held too"


def test_what_was_accepted_before_the_first_suspect_cell_is_not_held() -> None:
    run, sketcher = admitted("a")
    rng = np.random.default_rng(2)
    starts = []
    for number in range(20):
        said = documents(rng, 25, MOVED if number >= 10 else 0.0)
        starts.append(sketcher.positions.get(("verify", 0), 0))
        run.take(sketcher.sketch(0, {ACCEPTED: said}))
        run.take(sketcher.sketch(0, {A: said}))
        if run.alarms():
            break
    (alarm,) = run.alarms()
    first = number + 1 - alarm.documents // 25
    assert 10 <= first < number
    held = run.state.decisions.source("a").held
    assert starts[first - 1] <= held[0] <= starts[first], "the sketch before may have begun the cell"
    assert held[1] == 0


def test_where_verify_has_nothing_of_the_source_it_is_held_from_where_verify_has_got_to() -> None:
    run, sketcher = admitted("a")
    rng = np.random.default_rng(1)
    run.take(sketcher.sketch(1, {"verify/text/b": documents(rng, 130)}))
    feed(run, sketcher, A, documents(rng, 600, MOVED))
    assert run.state.decisions.source("a").held == {0: 0, 1: 131}


def test_a_source_on_probation_returns_after_so_many_documents_and_what_it_said_is_dropped() -> None:
    run, sketcher = admitted("a")
    rng = np.random.default_rng(1)
    run.take(sketcher.sketch(0, {ACCEPTED: documents(rng, 130)}))
    feed(run, sketcher, A, documents(rng, 600, MOVED))
    held = dict(run.state.decisions.source("a").held)
    tested = run.state.groups[A].change.tested
    run.state = replace(run.state, decisions=deciding.on_probation(run.state.decisions, "a", 7, tested))
    run.take(sketcher.sketch(0, {ACCEPTED: documents(rng, 70)}))
    feed(run, sketcher, A, documents(rng, PROBATION_DOCUMENTS - 25), at_once=25)
    assert run.state.decisions.source("a").phase == "probation"
    assert all(each.to_offset == OPEN_END for each in deciding.held(run.state.decisions))
    run.take(sketcher.sketch(0, {A: documents(rng, 25)}))
    assert run.state.decisions.source("a").phase == "healthy"
    assert not deciding.held(run.state.decisions)
    dropped = {each.partition: (each.from_offset, each.to_offset) for each in run.state.decisions.dropped}
    assert dropped == {0: (held[0], sketcher.positions["verify", 0]), 1: (held[1], held[1])}


def test_a_source_that_changes_on_probation_is_quarantined_again_and_all_of_it_stays_held() -> None:
    run, sketcher = admitted("a")
    rng = np.random.default_rng(1)
    feed(run, sketcher, A, documents(rng, 600, MOVED))
    held = run.state.decisions.source("a").held
    tested = run.state.groups[A].change.tested
    run.state = replace(run.state, decisions=deciding.on_probation(run.state.decisions, "a", 7, tested))
    run.take(sketcher.sketch(0, {ACCEPTED: documents(rng, 70)}))
    feed(run, sketcher, A, documents(rng, 600, MOVED))
    assert kinds(run) == {A: ["change", "change"]}
    assert run.state.decisions.source("a").phase == "quarantined"
    assert run.state.decisions.source("a").held == held


def test_a_source_of_copies_is_refused_and_nothing_of_it_is_drawn() -> None:
    run, sketcher = Run(), Sketcher()
    rng = np.random.default_rng(1)
    few = documents(rng, 40)
    for turn in range((MEMORY + ADMISSION) // 50 + 2):
        fresh = documents(rng, 50)
        run.take(sketcher.sketch(turn % 2, {A: fresh._replace(words=few.words[rng.integers(0, 40, 50)]), B: fresh}))
    assert {name: each.phase for name, each in run.state.decisions.sources.items()} == {"a": "refused", "b": "healthy"}
    assert covered(deciding.held(run.state.decisions), "a", 1, 0)
    assert deciding.weights(run.state.decisions) == {"a": 0.0}


def test_a_source_is_admitted_once_a_whole_window_tells_its_level() -> None:
    core = MonitorCore(replace(SETTING, width=100), yardstick())
    rng, sketcher, state = np.random.default_rng(1), Sketcher(), State(decisions=START)
    phases = []
    for turn in range(2 * 101):
        state = core.take(state, sketcher.sketch(turn % 2, {A: documents(rng, CELL)}), turn).state
        phases.append((state.groups[A].change.admitted, state.decisions.source("a").phase))
    assert phases.index((True, "healthy")) == 2 * 100 - 1
    assert phases.index((True, "admitting")) == (MEMORY + ADMISSION) // CELL - 1
    other = declare(declare(state, {"a": "one"}), {"a": "another"})
    assert not other.groups[A].last
    assert other.decisions.source("a").phase == "admitting"


def without_rare(said: Documents, part: float) -> Documents:
    """Return the share of documents with the fewest words that come once."""
    _, places, counts = np.unique(said.words, return_inverse=True, return_counts=True)
    rare = (counts[places].reshape(said.words.shape) == 1).sum(axis=1)
    kept = np.sort(np.argsort(rare, kind="stable")[: int(part * len(rare))])
    return Documents(*(column[kept] for column in said))


def narrowed(part: float) -> tuple[World, np.random.Generator, Documents]:
    """Let source a say 2,000 documents; return the share of them with the fewest words that come once."""
    world, rng = admitted("a"), np.random.default_rng(1)
    said = documents(rng, 2_000)
    feed(*world, A, said)
    return world, rng, without_rare(said, part)


def rejections(position: int, documents: Mapping[str, int], surprisal: Mapping[str, float]) -> BatchSketched:
    """Return the sketch of what checks have rejected of source a."""
    return BatchSketched(
        event_id=f"reject-{position}",
        occurred_at=0,
        source_topic="reject",
        source_partition=0,
        from_position=position,
        to_position=position + sum(documents.values()),
        documents=sum(documents.values()),
        artefact_hash=ARTEFACT,
        reference_version=1,
        groups={},
        rejected={f"text/a/{check}": count for check, count in documents.items()},
        rejected_surprisal={f"text/a/{check}": total for check, total in surprisal.items()},
    )


def test_the_check_that_narrows_is_named_even_where_another_rejects_more() -> None:
    (run, sketcher), _, narrow = narrowed(0.25)
    for window in range(3):
        at_once = {"duplicate": 60, "format": 20}
        run.take(rejections(80 * window, at_once, {"duplicate": 60 * 0.1, "format": 20 * 0.9}))  # a mean of .5 is said
        feed(run, sketcher, ACCEPTED, narrow.part(window * WINDOW, (window + 1) * WINDOW))
    windows = [each for each in run.measured if each.group == ACCEPTED]
    assert [each.alarm for each in windows] == [None, None, "format"]
    for each in windows:
        shares = {found.name: found.value for found in each.statistics if found.name.startswith("rejected_")}
        assert shares == {"rejected_duplicate": 60 / (80 + WINDOW), "rejected_format": 20 / (80 + WINDOW)}


@pytest.mark.parametrize(("part", "is_narrower"), [(1.0, False), (0.25, True)])
def test_a_verify_that_drops_the_documents_with_the_rarest_words_is_told_once_and_named(
    part: float, is_narrower: bool
) -> None:
    (run, sketcher), _, narrow = narrowed(part)
    feed(run, sketcher, ACCEPTED, narrow)
    measured = [each for each in run.measured if each.group == ACCEPTED]
    assert len(measured) >= 5
    told = [each for each in measured if each.alarm is not None]
    assert len(told) == int(is_narrower)
    for each in told:
        assert each.alarm_kind == "verification_narrows"
        assert each.alarm in ("types", "hapax", "good_turing")
        assert each.window == 2, "the first has nothing before it; then two in a row"
        assert {found.name for found in each.statistics} > {"types", "jsd"}
    assert run.state.decisions.source("a").phase == "healthy"


def test_a_verify_that_narrows_in_every_second_window_says_nothing() -> None:
    (run, sketcher), rng, narrow = narrowed(0.3)
    for turn in range(6):
        window = narrow.part(turn * WINDOW, (turn + 1) * WINDOW) if turn % 2 else documents(rng, WINDOW)
        feed(run, sketcher, ACCEPTED, window)
    measured = [each for each in run.measured if each.group == ACCEPTED]
    assert len(measured) == 6
    assert not any(each.alarm for each in measured)
    feed(run, sketcher, ACCEPTED, narrow.part(0, 2 * WINDOW))
    assert kinds(run) == {ACCEPTED: ["verification_narrows"]}
