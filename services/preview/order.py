"""Which seed each call of the plan starts from, as if every candidate were accepted and no region neglected."""

from collections.abc import Iterable, Iterator, Sequence

from services.errors import InputError
from services.generate.by_stratum import furthest_behind, limits
from services.generate.passes import Passes
from services.generate.plan import seed_number
from services.generate.strata import stratum_of
from services.recipe import Quotas, Recipe
from streams.samples import Sample

_SHOWN = 5


def seedless(recipe: Recipe, pool: Sequence[Sample]) -> dict[str, int]:
    """Return the strata that no seed is of, such as `label complaint`, and the accepted samples wanted of each."""
    if (quotas := recipe.generate.quotas) is None:
        return {}
    found = {stratum_of(seed, quotas) for seed in pool}
    return {f"{quotas.by} {name}": target for name, target in quotas.targets.items() if name not in found}


def wanted(recipe: Recipe, pool: Sequence[Sample]) -> int:
    """Return the accepted samples that can be reached: the target without the strata that have no seed."""
    return recipe.generate.target - sum(seedless(recipe, pool).values())


def seed_numbers(recipe: Recipe, pool: Sequence[Sample], calls: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Yield calls, which ascend, each with the number of its seed; raises InputError if no stratum has one."""
    if (quotas := recipe.generate.quotas) is None:
        yield from ((call, seed_number(call, len(pool), recipe.pipeline)) for call in calls)
        return
    if not wanted(recipe, pool):
        known = ", ".join(sorted({stratum_of(seed, quotas) for seed in pool} - {""})[:_SHOWN])
        raise InputError(
            f"No seed is of a {quotas.by} that generate.quotas names; name one that seeds are of: {known or 'none is'}"
        )
    slots = [_Slot(recipe, quotas, pool, slot) for slot in range(recipe.generate.slots)]
    made = 0
    for call in calls:
        for before in range(made, call):
            slots[before % len(slots)].next()
        made = call + 1
        if (number := slots[call % len(slots)].next()) is not None:
            yield call, number


class _Slot:
    """What one slot draws; after its last call it begins anew, as if all that it made were lost."""

    def __init__(self, recipe: Recipe, quotas: Quotas, pool: Sequence[Sample], slot: int) -> None:
        strata = [stratum_of(seed, quotas) for seed in pool]
        drawn = [0] * len(pool)
        self._targets, self._seeds = list[int](), list[Iterator[int]]()
        for name, limit in zip(quotas.names, limits(recipe.generate, quotas, slot), strict=True):
            if members := [number for number, stratum in enumerate(strata) if stratum == name]:
                self._targets.append(limit.own_target)
                passes = Passes(f"{recipe.pipeline}/{name}", members, slot, recipe.generate.slots)
                self._seeds.append(passes.ahead(drawn))
        self._live = [0] * len(self._targets)

    def next(self) -> int | None:
        """Return the number of the next call's seed; None if there is nothing to draw."""
        rooms = [target - live for target, live in zip(self._targets, self._live, strict=True)]
        if not any(rooms):
            self._live, rooms = [0] * len(self._targets), self._targets
        if (stratum := furthest_behind(self._live, self._targets, rooms)) is None:
            return None
        self._live[stratum] += 1
        return next(self._seeds[stratum])
