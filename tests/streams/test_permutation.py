from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.permutation import permuted


@given(st.text(max_size=5), st.integers(1, 400), st.data())
def test_every_place_is_met_once_however_it_is_cut(key: str, size: int, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, size), max_size=3)))
    pieces = [permuted(key, size, start, end - start) for start, end in zip([0, *cuts], [*cuts, size], strict=True)]
    assert sorted(place for piece in pieces for place in piece) == list(range(size))


def test_the_order_is_the_same_on_every_machine_and_in_every_version() -> None:
    assert permuted("plays/0", 10, 0, 10) == [4, 5, 2, 9, 8, 7, 0, 1, 6, 3]


@pytest.mark.parametrize("size", [2, 1000])
def test_keys_give_different_orders(size: int) -> None:
    orders = {tuple(permuted(f"p/{epoch}", size, 0, size)) for epoch in range(20)}
    assert len(orders) == min(20, 2 if size == 2 else 20)


def test_neighbours_are_scattered() -> None:
    order = permuted("p/0", 10_000, 0, 10_000)
    steps = [abs(one - other) for one, other in pairwise(order)]
    assert 3_000 < sum(steps) / len(steps) < 3_700  # a third of the size, if neighbours are independent
