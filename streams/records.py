"""The plain dictionaries that fastavro reads from older and newer schemas, to event classes.

Frames of today's schemas go through `streams.readers`, straight to the class.
"""

import types
from collections.abc import Callable
from dataclasses import fields
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

Plain = dict[str, Any]


@cache
def from_plain(cls: type) -> Callable[[Plain], Any]:
    """Return the function from what fastavro read to an instance of `cls`."""
    hints = get_type_hints(cls)
    makers = [(each.name, _maker(hints[each.name])) for each in fields(cls)]
    return lambda plain: cls(**{name: make(plain[name]) for name, make in makers})


def _maker(hint: Any) -> Callable[[Any], Any]:
    if get_origin(hint) in (Union, types.UnionType):
        some = _maker(next(arm for arm in get_args(hint) if arm is not type(None)))
        return lambda value: None if value is None else some(value)
    if get_origin(hint) is tuple:
        item = _maker(get_args(hint)[0])
        return lambda value: tuple(map(item, value))
    return from_plain(hint) if hasattr(hint, "__dataclass_fields__") else lambda value: value
