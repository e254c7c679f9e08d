"""Accepted samples that no batch will have for now, since a policy holds or drops them: they wait for nobody.

Else a source that was put out would fill up what may be in flight, and stop all others.
"""

from array import array
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from streams.parts import SourceRange


class _Accepted:
    """The accepted samples of one source in one partition, in the order of their offsets: 20 bytes a sample."""

    def __init__(self) -> None:
        self.offsets, self.planned, self.calls = array("q"), array("i"), array("q")

    def covered(self, ranges: Sequence[SourceRange]) -> NDArray[np.bool_]:
        """Tell of each sample whether one of the ranges has it, as `streams.parts.covered` does."""
        offsets, planned = np.array(self.offsets), np.array(self.planned)
        found = np.zeros(len(offsets), bool)
        for each in ranges:
            found |= (offsets >= each.from_offset) & ((offsets < each.to_offset) | (planned < each.planned_before))
        return found


class KeptOut:
    """Knows where the accepted samples of each source lie, and of which calls they are."""

    def __init__(self) -> None:
        self._accepted: dict[tuple[str, int], _Accepted] = {}

    def add(self, source: str, partition: int, offset: int, planned: int, call: int | None) -> None:
        """Take an accepted sample in, of a call planned under policy `planned`; those of a partition come in order."""
        accepted = self._accepted.setdefault((source, partition), _Accepted())
        accepted.offsets.append(offset)
        accepted.planned.append(planned)
        accepted.calls.append(-1 if call is None else call)

    def calls(self, ranges: Sequence[SourceRange]) -> NDArray[np.int64]:
        """Return the calls of the accepted samples in the ranges; one that lies in several counts once."""
        found = [np.array(accepted.calls, np.int64)[mine] for accepted, mine in self._within(ranges)]
        return np.concatenate([np.empty(0, np.int64), *found])

    def _within(self, ranges: Sequence[SourceRange]) -> Iterator[tuple[_Accepted, NDArray[np.bool_]]]:
        for (source, partition), accepted in self._accepted.items():
            mine = [each for each in ranges if each.source == source and each.partition in (-1, partition)]
            if mine:
                yield accepted, accepted.covered(mine)
