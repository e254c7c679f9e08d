import gzip
import io
import json
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given
from hypothesis import strategies as st

from services.ingest import delimited, jsonl, parquet, text
from services.ingest.lines import LONGEST
from services.ingest.plays import spoken
from services.ingest.rows import BadLine, Item, Reader, Row, rejected

BYTES = st.binary(max_size=200) | st.lists(
    st.sampled_from(
        [b'{"a": 1}', b"[1]", b"{", b'"', b"\xff", b" ", b"", b"\r", b"nan", b"1e999999", b'{"a": "\\ud800"}']
    )
).map(b"\n".join)


def read(reader: Reader, data: bytes) -> list[Item]:
    return list(reader(io.BytesIO(data), "f"))


def original(item: Item) -> bytes:
    return item.value if isinstance(item, BadLine) else rejected(item, "").value


@given(BYTES)
def test_jsonl_of_any_bytes_accounts_for_every_line(data: bytes) -> None:
    if data.startswith((b"\x1f\x8b", b"\xef\xbb\xbf")):
        return
    items = read(jsonl.read, data)
    lines = {number: line for number, line in enumerate(io.BytesIO(data), 1) if not line.isspace()}
    assert {item.line: original(item) for item in items} == lines
    assert len(items) == len(lines)


@given(st.binary(max_size=200))
def test_a_gzip_stream_of_any_bytes_never_raises(data: bytes) -> None:
    for reader in (jsonl.read, delimited.reader(","), text.reader(3), text.play_reader(3)):
        read(reader, b"\x1f\x8b" + data)


def test_bad_json_is_told_with_its_line_and_the_rest_is_read() -> None:
    data = b'\xef\xbb\xbf{"a": 1}\nnonsense\n\n[1]\n{"a": "\xff"}\n' + b"[" * 100_000 + b'\n{"a": 2}'
    items = read(jsonl.read, data)
    assert [type(item) for item in items] == [Row, BadLine, BadLine, BadLine, BadLine, Row]
    assert [item.line for item in items] == [1, 2, 4, 5, 6, 7]
    assert [item.reason.split(":")[0] for item in items if isinstance(item, BadLine)][:3] == [
        "no JSON at column 1",
        "a JSON list where an object is needed",
        "no UTF-8 at byte 8",
    ]


def test_a_line_without_end_is_one_bad_line_with_its_first_bytes() -> None:
    items = read(jsonl.read, b"x" * (2 * LONGEST + 5) + b'\n{"a": 1}\n')
    assert isinstance(items[0], BadLine)
    assert items[0].value == b"x" * 200_000
    assert f"{2 * LONGEST + 6} bytes long" in items[0].reason
    assert items[1:] == [Row("f", 2, {"a": 1}, b'{"a": 1}\n')]


def test_what_is_gzipped_is_read_as_if_it_were_not() -> None:
    plain = b'{"a": 1}\n{"a": 2}\n'
    assert read(jsonl.read, gzip.compress(plain)) == read(jsonl.read, plain)


def test_a_broken_gzip_stream_ends_in_a_bad_line() -> None:
    packed = gzip.compress(b"".join(b'{"a": %d}\n' % n for n in range(20_000)))
    items = read(jsonl.read, packed[: len(packed) // 2])
    assert len(items) > 1_000
    assert isinstance(items[-1], BadLine)
    assert "gzip stream breaks off" in items[-1].reason
    assert all(isinstance(item, Row) for item in items[:-1])


@given(st.lists(st.sampled_from(["a", "b", ",", '"', "\n", "\r\n", "\r", "ü", "x,y\n", '"a",b\n'])).map("".join))
def test_csv_of_any_text_accounts_for_every_line_in_order(body: str) -> None:
    data = body.encode()
    items = read(delimited.reader(","), b"a,b\n" + data)
    found = b"".join(original(item) for item in items)
    assert [line for line in io.BytesIO(found) if line.strip(b"\r\n")] == [
        line for line in io.BytesIO(data) if line.strip(b"\r\n")
    ]


def test_csv_reads_quoted_line_ends_and_gives_the_row_its_first_line() -> None:
    items = read(delimited.reader(","), b'a,b\n1,"two\nlines"\n3,4\n')
    assert [(item.line, item.values) for item in items if isinstance(item, Row)] == [
        (2, {"a": "1", "b": "two\nlines"}),
        (4, {"a": "3", "b": "4"}),
    ]


def test_an_unclosed_quote_costs_one_line() -> None:
    items = read(delimited.reader(","), b'a,b\n1,"open\n2,3\n4,5\n')
    assert [(item.line, type(item)) for item in items] == [(2, BadLine), (3, Row), (4, Row)]


def test_a_quote_that_swallows_rows_costs_one_line() -> None:
    items = read(delimited.reader(","), b'a,b\n1,"open\n2,3\n4,"5"\n')
    assert [(item.line, type(item)) for item in items] == [(2, BadLine), (3, Row), (4, Row)]


def test_a_csv_row_of_the_wrong_width_is_bad() -> None:
    (item,) = read(delimited.reader("\t"), b"a\tb\n1\t2\t3\n")
    assert item == BadLine("f", 2, "3 fields where the header has 2", b"1\t2\t3\n")


def _parquet(table: pa.Table, rows: int) -> BinaryIO:
    out = io.BytesIO()
    pq.write_table(table, out, row_group_size=rows, compression="none")
    return out


def test_parquet_reads_the_wanted_columns_and_counts_rows_over_row_groups() -> None:
    data = _parquet(pa.table({"a": list(range(2_500)), "b": ["x"] * 2_500}), 1_100)
    items = list(parquet.reader(frozenset({"a"}))(data, "f"))
    assert items == [Row("f", n + 1, {"a": n}) for n in range(2_500)]
    assert original(items[4]) == b'{"a": 4}'


def test_a_parquet_text_that_is_no_utf_8_costs_one_row() -> None:
    texts = pa.array([b"one", b"tw\xff", b"three"]).cast(pa.binary()).view(pa.string())
    items = list(parquet.reader(frozenset({"a"}))(_parquet(pa.table({"a": texts}), 10), "f"))
    assert [(item.line, type(item)) for item in items] == [(1, Row), (2, BadLine), (3, Row)]
    assert original(items[1]) == b"tw\xff"


def test_a_broken_row_group_costs_its_rows_and_not_the_file() -> None:
    data = _parquet(pa.table({"a": [f"text {n}" for n in range(200)]}), 100)
    whole = bytearray(data.getvalue())
    whole[4:60] = b"\xff" * 56
    items = list(parquet.reader(frozenset({"a"}))(io.BytesIO(bytes(whole)), "f"))
    assert isinstance(items[0], BadLine)
    assert items[0].line == 1
    assert [item.line for item in items[1:]] == list(range(101, 201))


@given(st.lists(st.lists(st.text("ab", min_size=1, max_size=3), max_size=9)), st.integers(1, 7))
def test_documents_hold_every_word_once_in_order(lines: list[list[str]], words: int) -> None:
    numbered = [(number, " ".join(line) + "\n") for number, line in enumerate(lines, 1)]
    found = list(text.documents(numbered, words))
    all_words = [word for line in lines for word in line]
    assert [word for _, document in found for word in document.split()] == all_words
    sizes = [len(document.split()) for _, document in found]
    assert all(size == words for size in sizes[:-1])
    if len(sizes) > 1:
        assert words <= sizes[-1] * 2
        assert sizes[-1] * 2 < 3 * words
    places = [number for number, line in enumerate(lines, 1) for _ in line]
    assert [number for number, _ in found] == [places[n * words] for n in range(len(found))]


def test_a_short_rest_joins_and_a_long_one_stands_alone() -> None:
    assert [d for _, d in text.documents([(1, "a b c d e")], 4)] == ["a b c d e"]
    assert [d for _, d in text.documents([(1, "a b c d e f")], 4)] == ["a b c d ", "e f"]
    assert [d for _, d in text.documents([(1, "a")], 4)] == ["a"]


def test_a_text_line_that_is_no_utf_8_is_bad_and_the_others_stay() -> None:
    items = read(text.reader(2), b"one two\nthr\xffee\nfour five\nAll rights reserved.\nsix seven\n")
    assert sorted((item.line, type(item).__name__) for item in items) == [
        (1, "Row"),
        (2, "BadLine"),
        (3, "Row"),
        (5, "Row"),
    ]


PLAY = r"""# The Play

## ACT I

### SCENE I. A room
_Enter ONE and TWO,
with a dog_

**ONE**~
_\[Aside]_~
Good morrow, sir;~
what news? _\[Exit ONE]_

**TWO**~
[To ONE]_~
__\[Reads]_~
\--None, *Sound a horn.* none.

1\. A lively flourish.~
2\. Two judges.

_Exeunt_
""".replace("~", "  ")


def test_only_what_is_spoken_is_left_of_a_play() -> None:
    assert spoken(PLAY).split() == ["Good", "morrow,", "sir;", "what", "news?", "--None,", "none."]


def test_a_play_keeps_its_line_numbers() -> None:
    lines = PLAY.split("\n")
    first, last = lines.index("Good morrow, sir;  ") + 1, lines.index(r"\--None, *Sound a horn.* none.") + 1
    items = read(text.play_reader(2), PLAY.encode())
    assert [item.line for item in items] == [first, first, first + 1, last]


def test_values_stand_for_the_bytes_of_a_row_that_has_none() -> None:
    assert json.loads(rejected(Row("f", 1, {"a": [1]}), "why").value) == {"a": [1]}
