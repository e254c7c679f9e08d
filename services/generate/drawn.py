"""Which seed each call of the plan was asked with, by which source and under which policy: 14 bytes a call.

The record that stands before a call in `response` says it, so it outlives a change of the pool and of the weights.
"""

from array import array

import numpy as np
from numpy.typing import NDArray

from streams.events import ModelAnswered
from streams.samples import digest

Ints = NDArray[np.int64]
Keys = NDArray[np.uint64]
NO_POLICY = -1


def key_of(seed_id: str) -> int:
    """Return the 64 bits that stand for a seed; two seeds of a pool have the same ones about never."""
    return int(digest("seed", seed_id)[:16], 16)


class Drawn:
    """All calls that were ever asked, of every slot; of several records of a call the newest policy's counts."""

    def __init__(self) -> None:
        self._keys, self._versions, self._sources = array("Q"), array("i"), array("h")
        self._numbers: dict[str, int] = {}

    def note(self, asked: ModelAnswered) -> None:
        """Take a record of `response` in. Idempotent."""
        call, source = asked.call_index, asked.source
        if asked.seed_id is None or call < 0:
            return
        if (missing := call + 1 - len(self._keys)) > 0:
            self._keys.extend([0] * missing)
            self._versions.extend([NO_POLICY] * missing)
            self._sources.extend([-1] * missing)
        if source.policy_version >= self._versions[call]:
            self._keys[call], self._versions[call] = key_of(asked.seed_id), source.policy_version
            self._sources[call] = self._numbers.setdefault(source.name, len(self._numbers))

    def key(self, call: int) -> int | None:
        """Return the seed that a call was asked with, or None if it never was."""
        return self._keys[call] or None if call < len(self._keys) else None

    def keys(self, calls: Ints) -> Keys:
        """Return the seeds of some calls."""
        return np.array(self._keys, np.uint64)[calls]

    def planned(self, source: str, after: int, before: int) -> Ints:
        """Return the calls of a source that were planned under the policies `after` to `before` - 1."""
        versions = np.array(self._versions)
        mine = np.array(self._sources) == self._numbers.get(source, -2)
        return np.flatnonzero(mine & (versions >= after) & (versions < before))

    def since(self, version: int, source: str) -> Ints:
        """Return the calls of all other sources that were planned under this policy or a later one."""
        sources = np.array(self._sources)
        others = (sources >= 0) & (sources != self._numbers.get(source, -2))
        return np.flatnonzero(others & (np.array(self._versions) >= version))
