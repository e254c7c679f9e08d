"""How many new calls a slot may make now, and why not more: pure arithmetic over counts.

Every slot has a fixed share of the target, so all slots together never have more outstanding than is still wanted,
however late each of them learns what the others did.
"""

from typing import Literal, NamedTuple

from services.generate.calls import Counts
from services.recipe import Generate

Why = Literal[
    "target reached",
    "candidate cap reached",
    "only review is waiting",
    "waiting for verdicts",
    "waiting for other slots",
    "waiting for verify and mix",
    "asking",
]


class Limits(NamedTuple):
    """What the recipe allows: accepted samples and calls ever made, of all slots and of this one."""

    target: int
    calls: int
    own_target: int
    own_calls: int
    in_flight: int


class Room(NamedTuple):
    """How many calls may be made now; `why` says what holds the rest back."""

    calls: int
    why: str


def share(total: int, slot: int, slots: int) -> int:
    """Return the slot's part of a total; the parts of all slots sum up to it."""
    return total // slots + (slot < total % slots)


def limits(generate: Generate, slot: int) -> Limits:
    """Return the limits of one slot; its calls are in proportion to its share of the target."""
    shares = [share(generate.target, each, generate.slots) for each in range(generate.slots)]
    calls = [int(part * generate.over_generate) for part in shares]
    return Limits(generate.target, sum(calls), shares[slot], calls[slot], generate.in_flight)


def room(own: Counts, everyone: Counts, limits: Limits, unmixed: int) -> Room:
    """Return how many new calls this slot may make; calls that are asked count as if they were accepted."""
    wanted = min(limits.own_target - own.live, limits.target - everyone.live)
    capped = min(limits.own_calls - own.used, limits.calls - everyone.used)
    calls = max(0, min(wanted, capped, limits.in_flight - everyone.unverified - unmixed))
    return Room(calls, "asking" if calls else _why(own, everyone, limits, min(wanted, capped)))


def _why(own: Counts, everyone: Counts, limits: Limits, allowed: int) -> Why:
    if everyone.accepted >= limits.target:
        return "target reached"
    if allowed > 0:
        return "waiting for verify and mix"
    if own.unverified + own.asked:
        return "waiting for verdicts"
    if own.review:
        return "only review is waiting"
    return "candidate cap reached" if own.used >= limits.own_calls else "waiting for other slots"
