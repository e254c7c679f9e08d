"""What the plan draws where strata have targets of their own: the one that is furthest behind comes next.

Of the calls that may draw a seed of a neglected region, each draws one of its stratum, if that has some.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import islice

import numpy as np
import structlog
from numpy.typing import NDArray

from services.generate.by_stratum import furthest_behind, limits, rooms, together
from services.generate.draws import Draw
from services.generate.members import Members
from services.generate.passes import Passes
from services.generate.quota import Room
from services.generate.rare import RareSeeds, is_rare, rare_seed
from services.generate.state import State
from services.recipe import Quotas, Recipe


class Stratified:
    """The draws of one slot; nothing may be asked of it before the pool has grown."""

    def __init__(self, recipe: Recipe, quotas: Quotas, slot: int, state: State, rare: RareSeeds) -> None:
        self._recipe, self._quotas, self._slot, self._state, self._rare = recipe, quotas, slot, state, rare
        self._limits = limits(recipe.generate, quotas, slot)
        self._live: list[int] = []
        self._rooms: list[int] = []

    def grown(self) -> None:
        """Take in that the pool has grown; says which strata have no seed. Blocks while the pool is read."""
        self._members = Members(self._state.pool, self._quotas)
        self._rare_numbers, self._rare_by_stratum = list[int](), [list[int]() for _ in self._limits]
        self._passes = [self._passes_of(number) for number in range(len(self._limits))]
        for name, passes in zip(self._quotas.names, self._passes, strict=True):
            if passes is None:
                structlog.get_logger().warning("generate", why=self._seedless(name))

    def room(self, lost: NDArray[np.int64], unmixed: int) -> Room:
        """Return how many calls may be made, as if these accepted calls were lost."""
        state = self._state
        self._members.count(state.strata.keys)
        counts = state.calls.by_stratum(state.strata.numbers(), len(self._limits), lost)
        own, everyone = zip(*counts, strict=True)
        found = [
            each if each.calls == 0 or passes is not None else Room(0, self._seedless(name))
            for each, passes, name in zip(
                rooms(own, everyone, self._limits), self._passes, self._quotas.names, strict=True
            )
        ]
        self._live, self._rooms = [each.live for each in own], [each.calls for each in found]
        self._room = together(found, self._recipe.generate.in_flight - state.calls.all.unverified - unmixed)
        return self._room

    def replays(self) -> list[int]:
        """Return the refused calls that there is room to ask again, each in its stratum."""
        replays = (call for call in sorted(self._state.replays) if self._takes(self._state.strata.number(call)))
        return list(islice(replays, self._room.calls))

    def find(self, keys: Collection[int]) -> Mapping[int, int]:
        """Return the numbers of these seeds by key, but for those that are not in the plan."""
        found = {key: self._members.number(place) for key, place in self._members.find(list(keys)).items()}
        others = [key for key in keys if key not in found]  # drawn before there were such quotas
        return {**found, **self._state.pool.find(others)} if others else found

    def seeds(self, calls: Sequence[int], again: Sequence[int]) -> Iterator[Draw]:
        """Yield the seed of each new call, those first that are to be drawn `again`; room comes before it."""
        wanted = [number for number in again if self._takes(self._members.stratum_of(number))][: len(calls)]
        yield from (Draw(number, is_again=True) for number in wanted)
        ahead = [passes.ahead(self._members.drawn) if passes else None for passes in self._passes]
        rare = self._rare_of_strata() if calls else []
        for call in calls[len(wanted) :]:
            stratum = furthest_behind(self._live, [each.own_target for each in self._limits], self._rooms)
            if stratum is None or (seeds := ahead[stratum]) is None:
                return
            self._takes(stratum)
            if is_rare(call) and rare[stratum]:
                yield Draw(rare_seed(call, rare[stratum], self._key(stratum)), is_rare=True)
            else:
                yield Draw(self._members.number(next(seeds)))

    def _rare_of_strata(self) -> list[list[int]]:
        """Return the seeds of each stratum that lie in neglected regions, by their numbers in the pool."""
        numbers = self._rare.numbers(self._state.policies.latest)
        if numbers != self._rare_numbers:
            self._rare_numbers, self._rare_by_stratum = numbers, [[] for _ in self._limits]
            for number in numbers:
                if (stratum := self._members.stratum_of(number)) >= 0:
                    self._rare_by_stratum[stratum].append(number)
        return self._rare_by_stratum

    def _takes(self, stratum: int) -> bool:
        """Take one call of a stratum's room, if it has some."""
        if stratum < 0 or self._rooms[stratum] <= 0:
            return False
        self._rooms[stratum] -= 1
        self._live[stratum] += 1
        return True

    def _passes_of(self, stratum: int) -> Passes | None:
        members = self._members.of(stratum)
        return Passes(self._key(stratum), members, self._slot, self._recipe.generate.slots) if members else None

    def _key(self, stratum: int) -> str:
        return f"{self._recipe.pipeline}/{self._quotas.names[stratum]}"

    def _seedless(self, name: str) -> str:
        return f"no seed of {self._quotas.by} {name}"
