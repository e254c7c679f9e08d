"""Divides human samples into pools by their content, so that every run and every machine divides them alike.

A salted hash decides, not the id's own digits: an id says nothing about its pool, nor a pool about an id's digits.
"""

from hashlib import blake2b
from typing import NamedTuple

from streams.events import Pool, ReferencePart

FIT, CALIBRATE = 0.5, 0.25  # the rest is `checks`


class Shares(NamedTuple):
    """Shares of reference and holdout; the rest is seed."""

    reference: float
    holdout: float


class Place(NamedTuple):
    """Where a sample goes; `part` is none outside of reference."""

    pool: Pool
    part: ReferencePart = "none"


def place(content_hash: str, shares: Shares) -> Place:
    """Return the one place of a content."""
    drawn = blake2b(content_hash.encode(), digest_size=16, person=b"split").digest()
    first, second = _fraction(drawn[:8]), _fraction(drawn[8:])
    if first < shares.holdout:
        return Place("holdout")
    if first < shares.holdout + shares.reference:
        return Place("reference", _part(second))
    return Place("seed")


def _part(fraction: float) -> ReferencePart:
    if fraction < FIT:
        return "fit"
    return "calibrate" if fraction < FIT + CALIBRATE else "checks"


def _fraction(drawn: bytes) -> float:
    return int.from_bytes(drawn, "big") / (1 << 64)
