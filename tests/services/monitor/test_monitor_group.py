from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from monitor_world import PARTITIONS, WIDTH, Sketcher, admitted, cells_of_stream, documents, took

from services.monitor.cell import cells_of
from services.monitor.group import Group, fresh, from_bytes
from services.monitor.trace import fresh as nothing
from streams.events import BatchSketched
from streams.stats.growth import Growth
from streams.stats.sequential import CELL
from streams.stats.statistic import pack, unpack


def test_cells_come_in_the_order_of_their_numbers_with_where_they_may_begin() -> None:
    rng, sketcher = np.random.default_rng(1), Sketcher()
    sketcher.sketch(1, {"generate/text/a": documents(rng, 8 * CELL), "generate/text/b": documents(rng, 5)}, gap=0)
    event = sketcher.sketch(
        1, {"generate/text/a": documents(rng, 4 * CELL), "generate/text/b": documents(rng, 45)}, gap=0
    )
    found = cells_of(event, 77, {"generate/text/b": 3, "generate/text/c": 1})
    assert [(each.number, each.start) for each in found["generate/text/a"]] == [(n, 205) for n in (8, 9, 10, 11)]
    assert [(each.number, each.start) for each in found["generate/text/b"]] == [(0, 3), (1, 205)]
    assert {(each.partition, each.end, each.offset) for cells in found.values() for each in cells} == {(1, 350, 77)}
    assert set(found) == {"generate/text/a", "generate/text/b"}


@given(st.lists(st.integers(1, 90), min_size=1, max_size=12))
@settings(max_examples=25)
def test_every_document_of_a_cell_lies_in_its_range(sizes: list[int]) -> None:
    rng, (run, sketcher) = np.random.default_rng(1), admitted("a")
    run.take(sketcher.sketch(0, {"verify/text/a": documents(rng, 1)}))
    for size in sizes:
        event: BatchSketched = sketcher.sketch(
            0, {"verify/text/a": documents(rng, size), "verify/text/b": documents(rng, 9)}
        )
        group = run.state.groups["verify/text/a"]
        for cell in cells_of(event, 0, {"verify/text/a": group.opened[0]}).get("verify/text/a", []):
            offsets = [sketcher.places["verify", key].offset for key in cell.documents.keys.tolist()]
            assert cell.start <= min(offsets) <= max(offsets) < cell.end
        run.take(event)


def test_a_group_that_was_stored_is_the_same_but_for_the_cells_that_wait() -> None:
    world = admitted("a")
    run, sketcher = world
    rng = np.random.default_rng(1)
    run.take(sketcher.sketch(0, {"generate/text/a": documents(rng, 110, 0.3)}))
    run.take(sketcher.sketch(1, {"verify/text/a": documents(rng, 110)}))
    for name, at_first in run.state.groups.items():
        group = replace(at_first, narrow=1, begun=2).rejecting("format", 2, 20.5).rejecting("format", 1, 9.0)
        again = from_bytes(group.to_bytes(), PARTITIONS, WIDTH)
        assert again.to_bytes() == group.to_bytes()
        assert (again.narrow, again.begun, again.rejected) == (1, 2, {"format": (3, 29.5)})
        assert (again.windows.next, again.windows.window) == (group.windows.next, group.windows.window)
        assert again.windows.pending == ()
        assert (again.last, again.opened, again.artefact) == (
            group.last,
            group.opened,
            "made-up",
        )
        assert again.heaps() == pytest.approx(group.heaps(), nan_ok=True)
        assert again.change.evidence() == group.change.evidence()
        assert again.change.drifts() == group.change.drifts()
        assert (again.change.tested, again.change.since) == (group.change.tested, group.change.since)
        assert again.change.suspects.tolist() == group.change.suspects.tolist()
        assert again.trace.keys.tolist() == group.trace.keys.tolist()
        assert again.trace.places.tolist() == group.trace.places.tolist()
        assert again.change.admitted == (name == "generate/text/a")
    assert len(run.state.groups["generate/text/a"].change.suspects)


def test_a_group_that_was_stored_before_there_was_a_second_opinion_begins_one() -> None:
    group = admitted("a").run.state.groups["generate/text/a"]
    older = {key: value for key, value in unpack(group.to_bytes()).items() if not key.startswith("opinion_")}
    again = from_bytes(pack(older), PARTITIONS, WIDTH)
    assert again.change.drifts() == {"adwin_drifts": 0.0, "page_hinkley_drifts": 0.0}


def test_a_stored_group_is_no_larger_than_a_record_may_be() -> None:
    rng = np.random.default_rng(1)
    said = documents(rng, 10_000, 0.2)
    for word in ("generate", "verify"):
        group: Group = fresh(1, 4)
        test = [*cells_of_stream(documents(rng, 3_000)), *cells_of_stream(said)]
        for number, cell in enumerate(test):
            group, _ = took(group, cell._replace(number=number, start=25 * number), word)
        size = len(group.to_bytes())
        assert size < 512 * 1024
        assert len(group.change.suspects if word == "generate" else group.trace.keys) == 8_000


def test_its_vocabulary_grows_over_all_whole_windows() -> None:
    said = documents(np.random.default_rng(1), 10 * CELL)
    group = fresh(1, 4)
    for cell in cells_of_stream(said):
        group, _ = took(group, cell, "seed")
    growth = Growth(4_096)
    growth.update(said.part(0, 8 * CELL).flat())
    assert group.heaps()["heaps_words"] == 8 * CELL * 64
    assert group.heaps()["heaps_types"] == growth.get()["types"]
    assert group.heaps()["heaps_beta"] == pytest.approx(growth.get()["heaps"])


def test_only_what_was_accepted_is_traced_and_other_groups_say_nothing_of_it() -> None:
    cell = cells_of_stream(documents(np.random.default_rng(1), CELL))[0]
    for word in ("seed", "generate", "mix"):
        assert len(took(fresh(1, 4), cell, word)[0].trace.keys) == 0
    accepted = took(fresh(1, 4), cell, "verify")[0].trace
    assert accepted.keys.tolist() == cell.documents.keys.tolist()
    assert accepted.places.tolist() == [[0, cell.start]] * CELL


def test_a_trace_says_where_the_first_suspect_lies_in_each_partition_or_where_more_may_come() -> None:
    said = documents(np.random.default_rng(1), 8 * CELL)
    trace = nothing()
    cells = [each._replace(partition=each.number % 2, start=100 * each.number) for each in cells_of_stream(said)]
    for cell in cells:
        trace = trace.take(cell)
    beyond = {0: 1_000, 1: 1_001, 2: 1_002}
    assert trace.first_offsets(np.empty(0, np.uint64), beyond) == beyond
    assert trace.first_offsets(cells[5].documents.keys[-1:], beyond) == {**beyond, 1: 500}
    some = np.concatenate([cells[3].documents.keys[:2], cells[4].documents.keys[:1], cells[7].documents.keys])
    assert trace.first_offsets(some, beyond) == {0: 400, 1: 300, 2: 1_002}
    assert trace.first_offsets(some, {1: 250}) == {1: 250}, "an unfinished cell began before"


def test_a_trace_knows_the_last_8000() -> None:
    trace = nothing()
    said = cells_of_stream(documents(np.random.default_rng(1), 8_100))
    for cell in said:
        trace = trace.take(cell)
    assert trace.keys.tolist() == [key for cell in said[4:] for key in cell.documents.keys.tolist()]
    assert trace.places[:, 1].tolist() == [cell.start for cell in said[4:] for _ in range(CELL)]
