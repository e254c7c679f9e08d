"""The human text beside a candidate, for a person who has to decide about it."""

from typing import NamedTuple


class Neighbour(NamedTuple):
    """A seed, by its id, and the beginning of its text."""

    sample_id: str
    text: str
