"""What the plan draws: how many calls there is room for, and which seed each new one has that is not the plan's own."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from services.generate.quota import Room, limits, room
from services.generate.rare import RareSeeds, is_rare, rare_seed
from services.generate.state import State
from services.recipe import Recipe


class Draw(NamedTuple):
    """A seed by its number in the pool, None for the plan's.

    `is_again`: an alarm has given it back; `is_rare`: its region is neglected.
    """

    number: int | None = None
    is_again: bool = False
    is_rare: bool = False


class Draws(Protocol):
    """How the seeds of new calls are chosen."""

    def grown(self) -> None:
        """Take in that the pool has grown. May block while the pool is read."""

    def room(self, lost: NDArray[np.int64], unmixed: int) -> Room:
        """Return how many calls may be made, as if these accepted calls were lost."""

    def replays(self) -> list[int]:
        """Return the refused calls that there is room to ask again."""

    def find(self, keys: Collection[int]) -> Mapping[int, int]:
        """Return the numbers of these seeds by key, but for those that are not in the plan."""

    def seeds(self, calls: Sequence[int], again: Sequence[int]) -> Iterator[Draw]:
        """Yield the seed of each new call, those first that are to be drawn `again`; room comes before it."""


class AsPlanned:
    """All seeds in the order of the plan, but for the calls that draw those of neglected regions."""

    def __init__(self, recipe: Recipe, slot: int, state: State, rare: RareSeeds) -> None:
        self._state, self._rare, self._key = state, rare, recipe.pipeline
        self._limits = limits(recipe.generate, slot)
        self._room = 0

    def grown(self) -> None:
        """Do nothing."""

    def room(self, lost: NDArray[np.int64], unmixed: int) -> Room:
        """Return how many calls may be made, as if these accepted calls were lost."""
        found = room(*self._state.calls.without(lost), self._limits, unmixed)
        self._room = found.calls
        return found

    def replays(self) -> list[int]:
        """Return the refused calls that there is room to ask again."""
        return list(islice(sorted(self._state.replays), self._room))

    def find(self, keys: Collection[int]) -> Mapping[int, int]:
        """Return the numbers of these seeds by key, but for those that are not in the plan."""
        return self._state.pool.find(keys)

    def seeds(self, calls: Sequence[int], again: Sequence[int]) -> Iterator[Draw]:
        """Yield the seed of each new call, those first that are to be drawn `again`."""
        yield from (Draw(number, is_again=True) for number in again[: len(calls)])
        rare = self._rare.numbers(self._state.policies.latest) if calls else []
        for call in calls[len(again) :]:
            yield Draw(rare_seed(call, rare, self._key), is_rare=True) if rare and is_rare(call) else Draw()
