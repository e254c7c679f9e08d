"""Hypothesis strategies for events, derived from the classes' type hints."""

import types
from collections.abc import Mapping
from dataclasses import is_dataclass
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

_EDGES = [-(2**31), -8193, -8192, -65, -64, -1, 0, 63, 64, 4095, 4096, 8191, 8192, 2**31 - 1]  # of varint lengths
_PRIMITIVES: dict[Any, st.SearchStrategy[Any]] = {
    str: st.text(max_size=100),
    int: st.sampled_from(_EDGES) | st.integers(-(2**31), 2**31 - 1),  # the narrower of the two widths behind int
    float: st.floats(allow_nan=False),
    bool: st.booleans(),
    bytes: st.binary(max_size=100),
}


@cache
def of(hint: Any) -> st.SearchStrategy[Any]:
    """Values of one type hint; every field of a class is drawn, those with defaults too."""
    if hint in _PRIMITIVES:
        return _PRIMITIVES[hint]
    if is_dataclass(hint) or hasattr(hint, "_fields"):
        return st.builds(hint, **{name: of(inner) for name, inner in get_type_hints(hint).items()})
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return st.none() | of(next(each for each in arguments if each is not types.NoneType))
    if origin is tuple:
        return st.lists(of(arguments[0]), max_size=3).map(tuple)
    if origin is Mapping:
        return st.dictionaries(of(arguments[0]), of(arguments[1]), max_size=3)
    assert origin is Literal, hint
    return st.sampled_from(arguments)
