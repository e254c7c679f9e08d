"""What every schema keeps to, and that the event classes say the same."""

import json
import types
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import pytest

from streams import schemas
from streams.codec import EVENTS
from streams.events import Event
from streams.parts import MixManifest

FILES = sorted(schemas.folder().glob("*.avsc"))
PRIMITIVES = {"string": str, "long": int, "int": int, "double": float, "boolean": bool, "bytes": bytes}


def nodes(schema: Any) -> Iterator[Any]:
    if isinstance(schema, list):
        for branch in schema:
            yield from nodes(branch)
    elif isinstance(schema, dict):
        yield schema
        for inner in (schema["type"], schema.get("items"), schema.get("values"), schema.get("fields")):
            yield from nodes(inner)


def named(kind: str) -> list[Any]:
    found = [node for file in FILES for node in nodes(json.loads(file.read_text(encoding="utf-8")))]
    return [node for node in found if node["type"] == kind]


def test_every_file_is_a_topics_event_or_a_part_and_every_event_has_a_class() -> None:
    assert {file.stem for file in FILES} == {*schemas.WORDS, *schemas.PARTS}
    assert set(EVENTS) == set(schemas.WORDS)
    assert set(EVENTS.values()) == set(get_args(Event))


def test_every_named_type_is_defined_once() -> None:
    names = [node["name"] for kind in ("record", "enum") for node in named(kind)]
    assert sorted(set(names)) == sorted(names)


def test_every_record_enum_and_field_has_a_doc() -> None:
    for node in [*named("record"), *named("enum")]:
        assert node["doc"].endswith("."), node["name"]
        for each in node.get("fields", []):
            assert each.get("doc", "").endswith("."), (node["name"], each["name"])


def test_every_enum_has_a_default_symbol() -> None:
    assert named("enum")
    for node in named("enum"):
        assert node["default"] in node["symbols"], node["name"]
        assert len(node["symbols"]) < 64, "the compiled reader takes a symbol from one byte"


def test_no_vector_is_an_array() -> None:
    assert [node["items"] for node in named("array") if node["items"] in ("float", "double")] == []


def test_every_union_is_null_or_one_other_type() -> None:
    for record in named("record"):
        for each in record["fields"]:
            if isinstance(each["type"], list):
                null, _ = each["type"]
                assert null == "null"
                assert each.get("default", "") is None


def test_bytes_can_be_spliced() -> None:
    for word in schemas.WORDS:
        names = [each["name"] for each in schemas.current(word)["fields"]]
        assert "sample" not in names[:-1], word
    assert json.loads((schemas.folder() / "sample.avsc").read_text())["fields"][-1]["name"] == "lineage"


def test_the_manifest_is_sample_mixed_without_its_sample() -> None:
    hints = get_type_hints(EVENTS["mix"])
    assert list(get_type_hints(MixManifest).items()) == list(hints.items())[:-1]
    assert MixManifest._field_defaults == {"cursor": ()}


@pytest.mark.parametrize("word", schemas.WORDS)
def test_the_class_has_the_schemas_names_order_types_and_defaults(word: str) -> None:
    compare(EVENTS[word], schemas.current(word), {})


def compare(cls: Any, schema: Any, known: dict[str, Any]) -> None:
    assert is_dataclass(cls)
    assert cls.__name__ == schema["name"]
    assert cls.__doc__ == schema["doc"]
    known[f"ballast.{schema['name']}"] = schema
    assert [each.name for each in fields(cls)] == [each["name"] for each in schema["fields"]]
    hints = get_type_hints(cls)
    for mine, theirs in zip(fields(cls), schema["fields"], strict=True):
        default = mine.default_factory() if mine.default_factory is not MISSING else mine.default
        if default is MISSING:
            assert "default" not in theirs, theirs["name"]
        else:
            assert (list(default) if isinstance(default, tuple) else default) == theirs["default"], theirs["name"]
        compare_types(hints[mine.name], theirs["type"], known)


def compare_types(hint: Any, schema: Any, known: dict[str, Any]) -> None:
    origin = get_origin(hint)
    if isinstance(schema, list):
        assert origin in (Union, types.UnionType)
        assert get_args(hint)[1] is types.NoneType
        compare_types(get_args(hint)[0], schema[1], known)
    elif isinstance(schema, str) and schema in PRIMITIVES:
        assert hint is PRIMITIVES[schema]
    elif isinstance(schema, str):
        compare_types(hint, known[schema], known)
    elif schema["type"] == "array":
        assert (origin, get_args(hint)[1]) == (tuple, ...)
        compare_types(get_args(hint)[0], schema["items"], known)
    elif schema["type"] == "map":
        assert (origin, get_args(hint)[0]) == (Mapping, str)
        compare_types(get_args(hint)[1], schema["values"], known)
    elif schema["type"] == "enum":
        known[f"ballast.{schema['name']}"] = schema
        assert origin is Literal
        assert list(get_args(hint)) == schema["symbols"]
    else:
        compare(hint, schema, known)
