"""Texts that a model is shown and must not obey: each a part between lines with a mark that none of them can hold."""

from collections.abc import Sequence
from typing import NamedTuple

from streams.samples import digest


class Part(NamedTuple):
    """A text and what it is called."""

    name: str
    text: str


def mark_of(parts: Sequence[Part]) -> str:
    """Return the mark: a hash of all that it encloses."""
    return digest("mark", *(word for part in parts for word in part))
