"""Avro schemas to compiled functions that read our events: straight-line code instead of a walk over the schema.

Twice as fast as fastavro with the dataclasses' own constructors; a law holds the results equal. A read past the end
meets an IndexError or ends beyond the frame, which the caller compares, so no length needs a check of its own.
"""

import struct
from collections.abc import Callable, Mapping
from typing import Any

Schema = Any
Read = Callable[[bytes, int], tuple[Any, int]]
Find = Callable[[bytes, int], int]

_UNSIGNED = 64


def compile_reader(schema: Schema, classes: Mapping[str, type]) -> Read:
    """Return the function from a frame and the body's place to the event and the place after it."""
    code = _Code(classes)
    code.read(schema, "event", 1)
    return code.compile("event, i")


def compile_picker(schema: Schema, wanted: Mapping[str, Any], result: type) -> Read:
    """Return the function that reads only the wanted fields: `{field: name in the result}`, nested for records.

    A field of a record that is null is None. What is skipped is not checked.
    """
    code = _Code({})
    names = _leaves(wanted)
    code.add(1, f"{' = '.join(names)} = None")
    code.pick(schema, wanted, 1)
    code.names["result"] = result
    return code.compile(f"result({', '.join(f'{name}={name}' for name in names)}), i")


def compile_finder(schema: Schema, field: str) -> Find:
    """Return the function from a frame and the body's place to the place where `field` begins."""
    code = _Code({})
    for each in schema["fields"]:
        if each["name"] == field:
            break
        code.skip(each["type"], 1)
    function: Find = code.compile("i")
    return function


def long_at(b: bytes, i: int) -> tuple[int, int]:
    """Return the zigzag varint at `i` and the place after it."""
    shift = 0
    n = 0
    while (byte := b[i]) > 127 and shift < 63:  # noqa: PLR2004 - seven bits a byte, at most ten bytes
        n |= (byte & 127) << shift
        shift += 7
        i += 1
    n |= byte << shift
    if n >> _UNSIGNED:
        raise ValueError("a number is wider than 64 bits")
    return (n >> 1) ^ -(n & 1), i + 1


def size_at(b: bytes, i: int) -> tuple[int, int]:
    """Return the length at `i` and the place after it."""
    n, i = long_at(b, i)
    if n < 0:
        raise ValueError("a length is negative")
    return n, i


def count_at(b: bytes, i: int) -> tuple[int, int]:
    """Return a block's count of items at `i` and the place of its first item; a negative count has a size behind it."""
    n, i = long_at(b, i)
    if n < 0:
        _, i = size_at(b, i)
    return abs(n), i


_NAMES: dict[str, Any] = {
    "long_at": long_at,
    "size_at": size_at,
    "count_at": count_at,
    "boolean": (False, True),
    "double": struct.Struct("<d").unpack_from,
}
# The short cases are written out, the others are calls. 129: more bytes follow, or the number is negative.
_SIZE = (
    "n = b[i]",
    "if not n & 129: n >>= 1; i += 1",
    "elif not n & 1 and (m := b[i + 1]) < 128: n = (n & 127 | m << 7) >> 1; i += 2",
    "else: n, i = size_at(b, i)",
)
_COUNT = ("n = b[i]", "if n & 129: n, i = count_at(b, i)", "else: n >>= 1; i += 1")
_LONG = (
    "n = b[i]",
    "if n < 128: {0} = (n >> 1) ^ -(n & 1); i += 1",
    "elif (m := b[i + 1]) < 128: n = n & 127 | m << 7; {0} = (n >> 1) ^ -(n & 1); i += 2",
    "elif (k := b[i + 2]) < 128: n = n & 127 | (m & 127) << 7 | k << 14; {0} = (n >> 1) ^ -(n & 1); i += 3",
    "else: {0}, i = long_at(b, i)",
)
_SKIP_LONG = ("while b[i] > 127: i += 1", "i += 1")
_READ = {
    "string": (*_SIZE, "j = i + n", "{0} = b[i:j].decode(); i = j"),
    "bytes": (*_SIZE, "j = i + n", "{0} = b[i:j]; i = j"),
    "int": _LONG,
    "long": _LONG,
    "boolean": ("{0} = boolean[b[i]]; i += 1",),
    "double": ("({0},) = double(b, i); i += 8",),
}
_SKIP = {
    "string": (*_SIZE, "i += n"),
    "bytes": (*_SIZE, "i += n"),
    "int": _SKIP_LONG,
    "long": _SKIP_LONG,
    "boolean": ("i += 1",),
    "double": ("i += 8",),
    "enum": ("i += 1",),
}


class _Code:
    """The lines of one function while they are written; `b` is the frame and `i` the place in it."""

    def __init__(self, classes: Mapping[str, type]) -> None:
        self.names = dict(_NAMES)
        self._classes = classes
        self._types: dict[str, Schema] = {}
        self._lines: list[str] = []
        self._variables = 0

    def compile(self, result: str) -> Callable[[bytes, int], Any]:
        source = "\n".join(("def function(b, i):", *self._lines, f"    return {result}"))
        exec(source, self.names)  # noqa: S102 - built from our own schemas only
        function: Callable[[bytes, int], Any] = self.names["function"]
        return function

    def add(self, depth: int, *lines: str) -> None:
        self._lines += ["    " * depth + line for line in lines]

    def read(self, schema: Schema, into: str, depth: int) -> None:
        """Write what reads one value into a variable or an attribute."""
        kind, schema = self._kind(schema)
        if kind in _READ:
            self.add(depth, *(line.format(into) for line in _READ[kind]))
        elif kind == "enum":
            self.names[schema["name"]] = {2 * i: symbol for i, symbol in enumerate(schema["symbols"])}
            self.add(depth, f"{into} = {schema['name']}[b[i]]; i += 1")
        elif kind == "record":
            self._record(schema, into, depth)
        elif kind == "union":
            self._present(depth)
            self.read(schema[1], into, depth + 1)
            self.add(depth, f"else: {into} = None")
        else:
            self._collection(kind, schema, into, depth)

    def skip(self, schema: Schema, depth: int) -> None:
        """Write what steps over one value."""
        kind, schema = self._kind(schema)
        if kind in _SKIP:
            self.add(depth, *_SKIP[kind])
        elif kind == "record":
            for field in schema["fields"]:
                self.skip(field["type"], depth)
        elif kind == "union":
            self._present(depth)
            self.skip(schema[1], depth + 1)
        else:
            self._blocks(depth)
            if kind == "map":
                self.skip("string", depth + 2)
            self.skip(schema["values" if kind == "map" else "items"], depth + 2)

    def pick(self, schema: Schema, wanted: Mapping[str, Any], depth: int) -> None:
        """Write what reads the wanted fields of a record and steps over the others."""
        kind, schema = self._kind(schema)
        if kind == "union":
            self._present(depth)
            self.pick(schema[1], wanted, depth + 1)
            return
        for field in schema["fields"]:
            want = wanted.get(field["name"])
            if want is None:
                self.skip(field["type"], depth)
            elif isinstance(want, str):
                self.read(field["type"], want, depth)
            else:
                self.pick(field["type"], want, depth)

    def _kind(self, schema: Schema) -> tuple[str, Schema]:
        if isinstance(schema, list):
            return "union", schema
        if isinstance(schema, str):
            schema = self._types.get(schema, schema)
        if isinstance(schema, str):
            return schema, schema
        if "name" in schema:
            self._types[f"{schema['namespace']}.{schema['name']}"] = schema
        return schema["type"], schema

    def _record(self, schema: Schema, into: str, depth: int) -> None:
        # A frozen class sets its fields by calls; a plain twin of the same layout takes them at full speed.
        name = schema["name"]
        cls = self._classes[name]
        twin, value = f"{name}_twin", self._variable()
        self.names |= {name: cls, twin: type(name, (), {"__slots__": [field["name"] for field in schema["fields"]]})}
        self.add(depth, f"{value} = {twin}()")
        for field in schema["fields"]:
            self.read(field["type"], f"{value}.{field['name']}", depth)
        self.add(depth, f"{value}.__class__ = {name}", f"{into} = {value}")

    def _collection(self, kind: str, schema: Schema, into: str, depth: int) -> None:
        values, key, item = self._variable(), self._variable(), self._variable()
        self.add(depth, f"{values} = {'{}' if kind == 'map' else '[]'}")
        self._blocks(depth)
        if kind == "map":
            self.read("string", key, depth + 2)
            self.read(schema["values"], item, depth + 2)
            self.add(depth + 2, f"{values}[{key}] = {item}")
        else:
            self.read(schema["items"], item, depth + 2)
            self.add(depth + 2, f"{values}.append({item})")
        self.add(depth, f"{into} = {values if kind == 'map' else f'tuple({values})'}")

    def _blocks(self, depth: int) -> None:
        self.add(depth, "while True:")
        self.add(depth + 1, *_COUNT, "if not n: break", "for _ in range(n):")

    def _present(self, depth: int) -> None:
        self.add(depth, "n = b[i]; i += 1", "if n not in (0, 2): raise ValueError('no such branch')", "if n:")

    def _variable(self) -> str:
        self._variables += 1
        return f"v{self._variables}"


def _leaves(wanted: Mapping[str, Any]) -> list[str]:
    return [name for want in wanted.values() for name in ([want] if isinstance(want, str) else _leaves(want))]
