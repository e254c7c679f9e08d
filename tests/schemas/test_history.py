import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from avro.schema import parse
from release import GOLDEN, breaks, refusals, released, rendered

from streams import schemas

WORDS = schemas.WORDS


@pytest.mark.parametrize("word", WORDS)
def test_the_current_schema_lies_whole_in_history(word: str) -> None:
    schema = schemas.current(word)
    file = schemas.folder() / "history" / word / f"{schemas.fingerprint_of(schema)}.avsc"
    assert file.exists(), "run `python tests/schemas/release.py`"
    assert file.read_text(encoding="utf-8") == rendered(schema), "run `python tests/schemas/release.py`"


@pytest.mark.parametrize("word", WORDS)
def test_every_released_schema_lies_under_its_own_fingerprint_and_has_golden_bytes(word: str) -> None:
    assert released(word)
    for fingerprint, schema in released(word).items():
        assert schemas.fingerprint_of(dict(schema)) == fingerprint
        assert (GOLDEN / f"{word}-{fingerprint}.bin").exists()


@pytest.mark.parametrize("word", WORDS)
def test_the_current_schema_reads_and_is_read_by_every_released_one(word: str) -> None:
    assert refusals(schemas.current(word), released(word)) == []


def test_the_schema_of_published_schemas_never_changes() -> None:
    assert list(released("schema")) == [schemas.fingerprint_of(schemas.current("schema"))]


def field(schema: Any, name: str) -> Any:
    return next(each for each in schema["fields"] if each["name"] == name)


def lineage(schema: Any) -> Any:
    return field(field(schema, "sample")["type"], "lineage")["type"]


def remove_a_field_without_default(schema: Any) -> None:
    schema["fields"].remove(field(schema, "occurred_at"))


def add_a_field_without_default(schema: Any) -> None:
    schema["fields"].insert(0, {"name": "colour", "type": "string"})


def rename_a_field(schema: Any) -> None:
    field(schema, "occurred_at")["name"] = "happened_at"


def change_a_type(schema: Any) -> None:
    field(schema, "occurred_at")["type"] = "string"


def narrow_a_number(schema: Any) -> None:
    field(schema, "occurred_at")["type"] = "int"


def widen_a_number(schema: Any) -> None:
    field(schema, "inclusion_probability")["type"] = ["null", "double"]


def take_null_away(schema: Any) -> None:
    field(field(schema, "sample")["type"], "label")["type"] = "string"


def rename_the_event(schema: Any) -> None:
    schema["name"] = "SampleAccepted"


def change_the_items_of_an_array(schema: Any) -> None:
    field(lineage(schema), "parent_ids")["type"]["items"] = "long"


def change_the_values_of_a_map(schema: Any) -> None:
    field(field(schema, "sample")["type"], "tags")["type"]["values"] = "double"


def add_a_symbol_to_an_enum_without_default(schema: Any) -> None:
    origin = field(lineage(schema), "origin")["type"]
    del origin["default"]
    origin["symbols"] = origin["symbols"][1:]


BREAKS: list[Callable[[Any], None]] = [
    remove_a_field_without_default,
    add_a_field_without_default,
    rename_a_field,
    change_a_type,
    narrow_a_number,
    widen_a_number,
    take_null_away,
    rename_the_event,
    change_the_items_of_an_array,
    change_the_values_of_a_map,
    add_a_symbol_to_an_enum_without_default,
]


@pytest.mark.parametrize("change", BREAKS, ids=lambda change: change.__name__)
def test_a_release_refuses_to(change: Callable[[Any], None]) -> None:
    schema = copy.deepcopy(schemas.current("verify"))
    change(schema)
    assert refusals(schema, released("verify"))


def add_an_optional_field(schema: Any) -> None:
    schema["fields"].insert(3, {"name": "colour", "type": ["null", "string"], "default": None})


def add_a_symbol(schema: Any) -> None:
    field(lineage(schema), "origin")["type"]["symbols"].append("ALIEN")


def change_a_doc(schema: Any) -> None:
    schema["doc"] = "Another sentence."


@pytest.mark.parametrize("change", [add_an_optional_field, add_a_symbol, change_a_doc], ids=lambda c: c.__name__)
def test_a_release_allows_to(change: Callable[[Any], None]) -> None:
    schema = copy.deepcopy(schemas.current("verify"))
    change(schema)
    assert refusals(schema, released("verify")) == []


def test_a_checker_is_used_for_one_pair_only() -> None:
    good, bad = json.loads('{"type": "array", "items": "long"}'), json.loads('{"type": "array", "items": "string"}')
    assert [bool(breaks(good, other)) for other in (good, bad, good, bad)] == [False, True, False, True]


@pytest.mark.parametrize("word", WORDS)
def test_the_reference_implementation_parses_every_schema(word: str) -> None:
    assert parse(json.dumps(schemas.current(word))).name == schemas.current(word)["name"]
