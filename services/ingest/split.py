"""Divides human samples into pools by their content, so that every run and every machine divides them alike.

A salted hash decides, not the id's own digits: an id says nothing about its pool, nor a pool about an id's digits.
"""

from hashlib import blake2b
from typing import NamedTuple

from streams.events import Pool, ReferencePart

FIT, CALIBRATE, CHECKS = 0.5, 0.25, 0.25  # of the reference
ENOUGH = 20_000  # documents of which a tenth calibrates well


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


def advice(documents: int, shares: Shares) -> str | None:
    """Return what may be better about the shares for that many documents; None if there is nothing to say."""
    if documents > ENOUGH and (shares.reference > 0.1 or shares.holdout > 0.1):  # noqa: PLR2004 - what it advises
        kept = 1 - shares.reference - shares.holdout
        return (
            f"More than {ENOUGH:,} documents: `split: {{reference: 0.1, holdout: 0.1}}` calibrates well enough and "
            f"leaves 80% of them to train on instead of {kept:.0%}; the split can't be changed once data is in"
        )
    if 0 < documents <= ENOUGH and shares.reference < 0.3:  # noqa: PLR2004 - the default
        return (
            f"{documents:,} documents put only some {documents * shares.reference:,.0f} into reference, and a window "
            "may be compared with a quarter of it at most; use `split.reference: 0.3` below "
            f"{ENOUGH:,} documents, before data is in"
        )
    return None


def _part(fraction: float) -> ReferencePart:
    if fraction < FIT:
        return "fit"
    return "calibrate" if fraction < FIT + CALIBRATE else "checks"


def _fraction(drawn: bytes) -> float:
    return int.from_bytes(drawn, "big") / (1 << 64)
