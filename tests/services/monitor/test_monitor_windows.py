import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from monitor_world import cell_of, documents

from services.monitor.cell import Cell, check_next
from services.monitor.windows import Windows
from streams.errors import FatalError
from streams.stats.documents import Documents
from streams.stats.sequential import CELL

POOL = documents(np.random.default_rng(2), 8 * CELL)


def cell(partition: int, number: int) -> Cell:
    """Return a cell of small documents, which say where they are from."""
    made = POOL.part(0, CELL)._replace(
        keys=np.arange(CELL, dtype=np.uint64) + np.uint64(1_000 * partition + 30 * number)
    )
    return cell_of(made, partition, number)


def keys(documents: Documents) -> list[int]:
    return documents.keys.tolist()


@st.composite
def arrivals(draw: st.DrawFn) -> tuple[Windows, list[Cell]]:
    """Return empty windows, and cells of their partitions in an order that keeps that of each partition."""
    partitions, width = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    counts = [draw(st.integers(0, 8)) for _ in range(partitions)]
    turns = draw(st.permutations([number for number, count in enumerate(counts) for _ in range(count)]))
    reached = [0] * partitions
    cells = []
    for number in turns:
        cells.append(cell(number, reached[number]))
        reached[number] += 1
    return Windows(partitions=partitions, width=width), cells


def follow(windows: Windows, cells: list[Cell]) -> tuple[Windows, list[Documents]]:
    found = []
    for each in cells:
        windows, whole = windows.take(each)
        if whole is not None:
            found.append(whole)
    return windows, found


@given(arrivals())
def test_whoever_comes_first_the_windows_are_the_same_documents_in_the_same_order(
    made: tuple[Windows, list[Cell]],
) -> None:
    empty, cells = made
    windows, found = follow(empty, cells)
    ordered, same = follow(empty, sorted(cells, key=lambda each: (each.number, each.partition)))
    assert [whole.to_bytes() for whole in found] == [whole.to_bytes() for whole in same]
    assert windows.next == ordered.next
    assert windows.window == ordered.window == len(found)
    for number, whole in enumerate(found):
        mine = range(number * empty.width, (number + 1) * empty.width)
        expected = [cell(partition, each) for partition in range(empty.partitions) for each in mine]
        assert keys(whole) == [key for each in expected for key in keys(each.documents)]


@given(arrivals())
def test_each_cell_is_in_exactly_one_window_or_waits(made: tuple[Windows, list[Cell]]) -> None:
    windows, found = follow(*made)
    said = [key for whole in found for key in keys(whole)]
    waits = [key for each in windows.pending for key in keys(each.documents)]
    assert sorted(said + waits) == sorted(key for each in made[1] for key in keys(each.documents))
    fewest = min(windows.next.get(number, 0) for number in range(windows.partitions))
    assert len(found) == fewest // windows.width


@given(arrivals(), st.data())
def test_with_the_waiting_cells_of_the_log_they_go_on_as_without_a_stop(
    made: tuple[Windows, list[Cell]], data: st.DataObject
) -> None:
    empty, cells = made
    stop = data.draw(st.integers(0, len(cells)))
    before, found = follow(empty, cells[:stop])
    again = Windows(partitions=before.partitions, width=before.width, next=before.next, window=before.window)
    for each in cells:  # those that were not taken yet are no concern of theirs, nor are those of whole windows
        again = again.with_pending(each).with_pending(each)
    assert sorted(each[:2] for each in again.pending) == sorted(each[:2] for each in before.pending)
    after, rest = follow(again, cells[stop:])
    assert [keys(whole) for whole in found + rest] == [keys(whole) for whole in follow(empty, cells)[1]]
    assert after.next == follow(empty, cells)[0].next


@given(st.integers(1, 3), st.lists(st.integers(0, 12), min_size=1, max_size=4))
def test_where_older_sketches_are_gone_windows_are_whole_from_the_first_that_all_partitions_have(
    width: int, firsts: list[int]
) -> None:
    windows = Windows(partitions=len(firsts), width=width)
    found = {}
    for number in range(30):
        for partition, first in enumerate(firsts):
            if number >= first:
                before = windows.window
                windows, whole = windows.take(cell(partition, number))
                if whole is not None:
                    found[max(before, windows.window - 1)] = whole
    begins = -(-max(firsts) // width)
    assert sorted(found) == list(range(begins, 30 // width))
    assert all(len(whole.keys) == width * len(firsts) * CELL for whole in found.values())
    assert keys(found[begins])[0] == keys(cell(0, begins * width).documents)[0]


def test_after_a_restart_with_other_numbers_no_window_has_a_cell_of_before() -> None:
    windows, _ = follow(Windows(partitions=2, width=2), [cell(0, 0), cell(1, 0), cell(0, 1), cell(0, 2)])
    restarted = windows.restarted()
    assert restarted.window == 2  # cells 0 to 2 of partition 0 came, so windows 0 and 1 are spoilt
    rest = [cell(0, 3), *(cell(1, number) for number in range(1, 6)), *(cell(0, number) for number in range(4, 6))]
    _, found = follow(restarted, rest)
    assert [keys(whole)[0] for whole in found] == [keys(cell(0, 4).documents)[0]]
    assert len(found[0].keys) == 4 * CELL


def test_a_cell_is_taken_once_and_one_that_is_missing_is_told() -> None:
    assert check_next("g", cell(1, 7), None)
    assert check_next("g", cell(1, 7), 7)
    assert not check_next("g", cell(1, 6), 7)
    with pytest.raises(FatalError, match="Group g: cell 8 of partition 1 follows 6, so sketches are missing"):
        check_next("g", cell(1, 8), 7)
