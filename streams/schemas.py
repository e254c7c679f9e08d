"""The Avro schemas: the files in `schemas/`, made self-contained, and every version ever released.

A frame names its schema by fingerprint (CRC-64-AVRO of the parsing canonical form), so no registry is needed.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

from fastavro.schema import fingerprint, to_parsing_canonical_form

TYPE_NAMES = ("record", "enum")
PARTS = ("lineage", "verdict", "sample")
WORDS = (
    "seed", "generate", "review", "decision", "verify", "reject", "mix", "evaluate",
    "sketch", "measure", "policy", "response", "schema", "dead",
)  # fmt: skip


def folder() -> Path:
    """Where the schema files lie: in the wheel, or beside the package in a checkout."""
    packaged = Path(__file__).parent / "schemas"
    return packaged if packaged.is_dir() else Path(__file__).parent.parent / "schemas"


@cache
def current(word: str) -> dict[str, Any]:
    """Return today's schema of a topic's event, with every named type written out at its first use."""
    types: dict[str, Any] = {}
    for part in (*WORDS, *PARTS):
        _collect(_load(part), types)
    return dict(_inline(_load(word), types, set()))


def released(fingerprint: str) -> str | None:
    """Return the schema, as JSON, that was released under this fingerprint, of whichever word."""
    found = next((folder() / "history").glob(f"*/{fingerprint}.avsc"), None)
    return None if found is None else found.read_text(encoding="utf-8")


def fingerprint_of(schema: dict[str, Any]) -> str:
    """Return 16 hex digits, little-endian, as in a single-object frame (Avro specification 1.12)."""
    return str(fingerprint(to_parsing_canonical_form(schema), "CRC-64-AVRO"))


def split(schema: dict[str, Any], field: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the record without its last field, and that field's schema."""
    *before, last = schema["fields"]
    if last["name"] != field:
        raise ValueError(f"{field} is not the last field of {schema['name']}")
    return {**schema, "fields": before}, last["type"]


def refuse_unbounded(schema: Any) -> None:
    """Raise ValueError where few bytes of a frame could nest without end or claim endless items of no size."""
    _least_size(schema, {}, set())


def _least_size(schema: Any, sizes: dict[str, int], opened: set[str]) -> int:
    if isinstance(schema, list):
        return 1 + min(_least_size(branch, sizes, opened) for branch in schema)
    if not isinstance(schema, dict):
        if schema in opened:
            raise ValueError(f"{schema} contains itself")
        return sizes.get(schema, 0 if schema == "null" else 1)
    if schema["type"] in ("array", "map"):
        item = schema["items"] if schema["type"] == "array" else schema["values"]
        if _least_size(item, sizes, opened) == 0 and schema["type"] == "array":
            raise ValueError("an array's items have no size")
        return 1
    if schema["type"] == "record":
        opened.add(schema["name"])
        size = sum(_least_size(field["type"], sizes, opened) for field in schema["fields"])
        opened.remove(schema["name"])
    else:
        size = schema.get("size", _least_size(schema["type"], sizes, opened)) if "symbols" not in schema else 1
    return sizes.setdefault(schema.get("name", ""), size) if "name" in schema else int(size)


def _load(name: str) -> dict[str, Any]:
    return dict(json.loads((folder() / f"{name}.avsc").read_text(encoding="utf-8")))


def _collect(schema: Any, types: dict[str, Any]) -> None:
    for node in _nodes(schema):
        if node.get("type") in TYPE_NAMES:
            types.setdefault(f"{node['namespace']}.{node['name']}", node)


def _nodes(schema: Any) -> list[dict[str, Any]]:
    if isinstance(schema, list):
        return [node for branch in schema for node in _nodes(branch)]
    if not isinstance(schema, dict):
        return []
    inner = [schema.get("type"), schema.get("items"), schema.get("values"), *schema.get("fields", [])]
    return [schema, *(node for part in inner for node in _nodes(part))]


def _inline(schema: Any, types: dict[str, Any], seen: set[str]) -> Any:
    if isinstance(schema, list):
        return [_inline(branch, types, seen) for branch in schema]
    if isinstance(schema, str):
        return _inline(types[schema], types, seen) if schema in types and schema not in seen else schema
    full = f"{schema.get('namespace')}.{schema.get('name')}"
    if schema["type"] in TYPE_NAMES:
        if full in seen:
            return full
        seen.add(full)
    inlined = dict(schema)
    for key in ("type", "items", "values"):
        if key in schema and schema[key] not in (*TYPE_NAMES, "array", "map"):
            inlined[key] = _inline(schema[key], types, seen)
    if "fields" in schema:
        inlined["fields"] = [{**field, "type": _inline(field["type"], types, seen)} for field in schema["fields"]]
    return inlined
