"""The stratum of every call, as a fold over `response`: that of the seed it was asked with, whatever became of it."""

from array import array
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from services.generate.drawn import key_of
from services.recipe import Quotas
from streams.events import ModelAnswered
from streams.samples import Sample

_UNKNOWN, _UNWANTED = -2, -1


class Strata:
    """All calls that were ever asked, of every slot; without quotas it knows none.

    `keys` are the seeds of the calls that this slot `owns`, as they became known, but for rare ones, which take no
    turn of the passes over a stratum; with them a call takes 10 bytes.
    """

    def __init__(self, quotas: Quotas | None, owns: Callable[[int], bool]) -> None:
        self.keys = array("Q")
        self._quotas, self._owns = quotas, owns
        self._numbers = {} if quotas is None else {name: number for number, name in enumerate(quotas.names)}
        self._of = array("h")

    def note(self, asked: ModelAnswered) -> None:
        """Take a record of `response` in; the first of a call decides. Idempotent."""
        call = asked.call_index
        if self._quotas is None or asked.seed_id is None or call < 0:
            return
        if (missing := call + 1 - len(self._of)) > 0:
            self._of.extend([_UNKNOWN] * missing)
        if self._of[call] == _UNKNOWN:
            self._of[call] = self._numbers.get(_asked_of(asked, self._quotas), _UNWANTED)
            if self._owns(call) and not asked.is_rare:
                self.keys.append(key_of(asked.seed_id))

    def number(self, call: int) -> int:
        """Return the number of a call's stratum in the recipe's order, below 0 for none."""
        return self._of[call] if call < len(self._of) else _UNKNOWN

    def numbers(self) -> NDArray[np.int16]:
        """Return the number of each call's stratum, below 0 for none."""
        return np.array(self._of, np.int16)


def stratum_of(seed: Sample, quotas: Quotas) -> str:
    """Return the stratum of a seed; the empty one if it has none."""
    return (seed.tags.get("domain") if quotas.by == "domain" else seed.label) or ""


def _asked_of(asked: ModelAnswered, quotas: Quotas) -> str:
    label = asked.seed.label if asked.seed else None
    return (asked.tags.get("domain") if quotas.by == "domain" else label) or ""
