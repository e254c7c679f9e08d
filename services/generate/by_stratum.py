"""How many new calls of each stratum a slot may make now, and of which stratum the next one is: pure arithmetic."""

from collections.abc import Sequence
from itertools import accumulate, pairwise

from services.generate.calls import Counts
from services.generate.quota import Limits, Room, room, share
from services.recipe import Generate, Quotas

_DONE = "target reached"
_WAITS = ("waiting for verdicts", "only review is waiting", "waiting for other slots")


def limits(generate: Generate, quotas: Quotas, slot: int) -> list[Limits]:
    """Return the limits of one slot in each stratum; its targets sum up to the one that it has without strata."""
    ends = list(accumulate(quotas.targets.values(), initial=0))
    slots = [_steps([share(end, each, generate.slots) for end in ends]) for each in range(generate.slots)]
    found = []
    for target, owed in zip(quotas.targets.values(), zip(*slots, strict=True), strict=True):
        most = int(target * generate.over_generate)
        own = _part(most, owed, slot)
        found.append(Limits(target, most, owed[slot], own, generate.in_flight))
    return found


def rooms(own: Sequence[Counts], everyone: Sequence[Counts], limits: Sequence[Limits]) -> list[Room]:
    """Return how many new calls of each stratum this slot may make, whatever is in flight."""
    found = []
    for mine, theirs, limit in zip(own, everyone, limits, strict=True):
        unbound = limit._replace(in_flight=theirs.unverified + limit.target)
        found.append(room(mine, theirs, unbound, 0))
    return found


def together(rooms: Sequence[Room], flow: int) -> Room:
    """Return the room of all strata, of which `flow` may be in flight; `why` says what is waited for, else each end."""
    if (calls := sum(each.calls for each in rooms)) > 0:
        most = max(0, min(calls, flow))
        return Room(most, "asking" if most else "waiting for verify and mix")
    whys = {each.why for each in rooms}
    waits = [why for why in _WAITS if why in whys]
    return Room(0, waits[0] if waits else "; ".join(sorted(whys - {_DONE})) or _DONE)


def furthest_behind(live: Sequence[int], own_targets: Sequence[int], room: Sequence[int]) -> int | None:
    """Return the stratum with room that has the least of what this slot owes it, the first of several; None without."""
    parts = [(live[each] / own_targets[each], each) for each in range(len(live)) if room[each] > 0]
    return min(parts)[1] if parts else None


def _steps(ends: Sequence[int]) -> list[int]:
    return [after - before for before, after in pairwise(ends)]


def _part(most: int, owed: Sequence[int], slot: int) -> int:
    """Return a slot's part of a stratum's calls, as its share of the target is; the parts of all sum up to them."""
    before = sum(owed[:slot])
    return most * (before + owed[slot]) // sum(owed) - most * before // sum(owed)
