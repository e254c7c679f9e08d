"""The seeds of each stratum that is wanted, and how often this slot drew each: 34 bytes a seed."""

from array import array
from bisect import bisect_left
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from services.generate.drawn import key_of
from services.generate.pool import SeedPool
from services.generate.strata import stratum_of
from services.recipe import Quotas


class Members:
    """The seeds of a pool by stratum. Reads the pool, which blocks for half a minute with a million seeds."""

    def __init__(self, pool: SeedPool, quotas: Quotas) -> None:
        wanted = {name: number for number, name in enumerate(quotas.names)}
        self.drawn = array("I")
        self._numbers, self._strata, self._keys = array("I"), array("h"), array("Q")
        for number in range(pool.size):
            seed = pool.seed(number)
            if (stratum := wanted.get(stratum_of(seed, quotas))) is not None:
                self._numbers.append(number)
                self._strata.append(stratum)
                self._keys.append(key_of(seed.sample_id))
        self.drawn.extend([0] * len(self._keys))
        self._order = np.argsort(np.array(self._keys, np.uint64), kind="stable")
        self._sorted = np.array(self._keys, np.uint64)[self._order]
        self._counted = 0

    def of(self, stratum: int) -> Sequence[int]:
        """Return the places of a stratum's seeds."""
        return array("I", np.flatnonzero(np.array(self._strata) == stratum).tolist())

    def number(self, place: int) -> int:
        """Return a seed's number in the pool."""
        return self._numbers[place]

    def stratum_of(self, number: int) -> int:
        """Return the stratum of a seed by its number in the pool, -1 for none."""
        place = bisect_left(self._numbers, number)
        return self._strata[place] if place < len(self._numbers) and self._numbers[place] == number else -1

    def find(self, keys: Sequence[int]) -> Mapping[int, int]:
        """Return the places of seeds by key, but for those that no stratum has."""
        found = self._places(np.array(keys, np.uint64)).tolist()
        return {key: place for key, place in zip(keys, found, strict=True) if place >= 0}

    def count(self, keys: Sequence[int]) -> None:
        """Count the draws that came after those that were counted before; `keys` are all of them."""
        places = self._places(np.array(keys[self._counted :], np.uint64))
        for place in places[places >= 0].tolist():
            self.drawn[place] += 1
        self._counted = len(keys)

    def _places(self, keys: NDArray[np.uint64]) -> NDArray[np.int64]:
        if not len(self._sorted):
            return np.full(len(keys), -1)
        at = np.minimum(np.searchsorted(self._sorted, keys), len(self._sorted) - 1)
        return np.where(self._sorted[at] == keys, self._order[at], -1)
