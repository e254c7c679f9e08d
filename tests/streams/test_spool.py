from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from streams.broker import Record, TopicPartition
from streams.spool import Spool


def record(partition: int, offset: int, value: bytes | None = None) -> Record:
    return Record("t", partition, offset, None, value or b"%d/%d" % (partition, offset), 0)


def contents(spool: Spool) -> list[tuple[int, int, bytes]]:
    return [(p, spool.offset(p, n), spool.value(p, n)) for p in range(spool.partitions) for n in range(spool.count(p))]


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(1, 3), st.binary(max_size=9)), max_size=30), st.data())
def test_every_record_comes_back_also_after_reopening(
    tmp_path_factory: object, steps: list[tuple[int, int, bytes]], data: st.DataObject
) -> None:
    folder = Path(tmp_path_factory.mktemp("spool"))  # type: ignore[attr-defined]
    spool, ends, expected = Spool(folder, "t", 2), [-1, -1], []
    for partition, gap, value in steps:
        ends[partition] += gap
        one = record(partition, ends[partition], value)
        expected.append((partition, one.offset, one.value))
        assert spool.append([one])
        if data.draw(st.booleans()):
            spool.close()
            spool = Spool(folder, "t", 2)
    assert contents(spool) == sorted(expected)
    spool.close()


def test_repeats_are_skipped(tmp_path: Path) -> None:
    spool = Spool(tmp_path, "t", 1)
    spool.append([record(0, 1), record(0, 3)])
    assert spool.append([record(0, 1), record(0, 3), record(0, 4)])
    assert [offset for _, offset, _ in contents(spool)] == [1, 3, 4]


def test_records_below_an_offset_are_counted(tmp_path: Path) -> None:
    spool = Spool(tmp_path, "t", 1)
    spool.append([record(0, 2), record(0, 5)])
    assert [spool.count(0, below) for below in (0, 2, 3, 5, 6)] == [0, 0, 1, 1, 2]


def test_a_fold_goes_on_at_the_last_record(tmp_path: Path) -> None:
    spool = Spool(tmp_path, "t", 2)
    spool.append([record(0, 2), record(0, 5)])
    bounds = {TopicPartition("t", 0): (0, 9), TopicPartition("t", 1): (0, 9)}
    assert spool.starts(bounds) == {TopicPartition("t", 0): 5}


def test_a_log_that_ends_before_the_spool_is_another_log(tmp_path: Path) -> None:
    spool = Spool(tmp_path, "t", 1)
    spool.append([record(0, 5)])
    assert spool.starts({TopicPartition("t", 0): (0, 5)}) == {}
    assert spool.count(0) == 0


def test_a_log_with_other_bytes_at_the_last_record_is_another_log(tmp_path: Path) -> None:
    spool = Spool(tmp_path, "t", 1)
    spool.append([record(0, 5)])
    assert not spool.append([record(0, 5, b"other"), record(0, 6)])
    assert contents(spool) == []


def test_what_a_crash_left_half_written_is_cut_off(tmp_path: Path) -> None:
    spool = Spool(tmp_path, "t", 1)
    spool.append([record(0, 1), record(0, 2)])
    spool.close()
    values, index = tmp_path / "0.values", tmp_path / "0.index"
    values.write_bytes(values.read_bytes()[:-1])
    index.write_bytes(index.read_bytes() + b"half")
    spool = Spool(tmp_path, "t", 1)
    assert contents(spool) == [(0, 1, b"0/1")]
    spool.append([record(0, 2)])
    assert contents(spool) == [(0, 1, b"0/1"), (0, 2, b"0/2")]


def test_a_folder_in_use_is_left_to_its_process(tmp_path: Path) -> None:
    first = Spool(tmp_path / "seed", "t", 1)
    first.append([record(0, 1)])
    second = Spool(tmp_path / "seed", "t", 1)
    second.append([record(0, 2)])
    second.clear()
    assert contents(first) == [(0, 1, b"0/1")]
    first.close()
    assert contents(Spool(tmp_path / "seed", "t", 1)) == [(0, 1, b"0/1")]
