from collections import defaultdict

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from services.index.column import Column
from services.index.ids import Ids, pack, unpack
from services.index.table import Table

KEYS = st.integers(0, 40) | st.integers(2**32 - 5, 2**32 - 1) | st.integers(0, 2**32 - 1)


def found(table: Table, keys: list[int]) -> dict[int, list[int]]:
    places, rows = table.find(np.array(keys, np.uint32))
    result = defaultdict(list)
    for place, row in zip(places.tolist(), rows.tolist(), strict=True):
        result[place].append(row)
    return {place: sorted(rows) for place, rows in result.items()}


@given(st.lists(st.lists(KEYS, max_size=60), max_size=8))
def test_a_table_finds_what_a_dictionary_of_lists_would(batches: list[list[int]]) -> None:
    table, model, row = Table(1_000), defaultdict(list), 0
    for keys in batches:
        table.add(np.array(keys, np.uint32), np.arange(row, row + len(keys)))
        for key in keys:
            model[max(key, 1)].append(row)
            row += 1
    asked = sorted({key for keys in batches for key in keys} | {7, 2**31})
    expected = {n: model[max(key, 1)] for n, key in enumerate(asked) if max(key, 1) in model}
    assert found(table, asked) == expected


@given(st.lists(st.integers(0, 3), max_size=80), st.integers(1, 4))
def test_a_key_keeps_at_most_as_many_rows_as_was_said(keys: list[int], most: int) -> None:
    table = Table(most)
    half = len(keys) // 2
    table.add(np.array(keys[:half], np.uint32), np.arange(half))
    table.add(np.array(keys[half:], np.uint32), np.arange(half, len(keys)))
    counts = {max(key, 1): min(most, sum(max(k, 1) == max(key, 1) for k in keys)) for key in keys}
    asked = sorted(counts)
    assert {asked[n]: len(rows) for n, rows in found(table, asked).items()} == counts


def test_a_table_still_finds_all_after_it_has_grown_many_times() -> None:
    table, rng = Table(8), np.random.default_rng(1)
    keys = rng.choice(2**32 - 1, 30_000, replace=False).astype(np.uint32)
    for start in range(0, 30_000, 500):
        table.add(keys[start : start + 500], np.arange(start, start + 500))
    places, rows = table.find(keys)
    assert sorted(zip(places.tolist(), rows.tolist(), strict=True)) == [(n, n) for n in range(30_000)]


@given(st.lists(st.lists(st.integers(0, 30), max_size=20), max_size=6))
def test_ids_are_a_set_that_remembers_the_order_of_arrival(batches: list[list[int]]) -> None:
    ids, model = Ids(), {}
    for keys in batches:
        packed = pack([b"%032x" % (key << 100 if key % 2 else key) for key in keys])  # many share their first bits
        fresh = ids.fresh(packed)
        assert [keys[n] for n in fresh] == list(dict.fromkeys(key for key in keys if key not in model))
        assert ids.add(packed).tolist() == fresh.tolist()
        model.update(dict.fromkeys(key for key in keys if key not in model))
        assert ids.rows(packed).tolist() == [list(model).index(key) for key in keys]
    assert len(ids) == len(model)


def test_a_key_that_is_no_id_of_ours_has_an_id_all_the_same() -> None:
    packed = pack([b"", b"no id", b"z" * 32, b"0f" * 16])
    assert len({unpack(one) for one in packed}) == 4
    assert unpack(packed[3]) == "0f" * 16


def test_a_column_keeps_its_rows_while_it_grows() -> None:
    column = Column(np.empty((0, 2), np.uint64))
    for n in range(100):
        column.extend(np.full((n % 5, 2), n, np.uint64))
    assert column.values[:, 0].tolist() == [n for n in range(100) for _ in range(n % 5)]
