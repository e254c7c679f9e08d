"""Human values by kind of document: what is usual in a tragedy need not be in a comedy, nor in a question."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from services.verify.conformal import Tails, Values
from streams.samples import Sample

LEAST = 300  # human documents of a kind, for it to be judged by its own


class Kind(NamedTuple):
    """A task and a domain of it; None for any."""

    task: str | None
    domain: str | None


_ANY = Kind(None, None)


def kind_of(sample: Sample) -> Kind:
    """Return the kind of a sample."""
    return Kind(sample.task, sample.tags.get("domain", ""))


class ByKind:
    """One measure of human documents; where it is not a number, it is left out.

    A document is judged by its own kind if there are `least` human ones of it, else by those of its task if there are
    as many, else by all.
    """

    def __init__(self, kinds: Sequence[Kind], values: Values, least: float = LEAST) -> None:
        rows: Mapping[Kind, list[int]] = defaultdict(list)
        for row in np.flatnonzero(~np.isnan(values)).tolist():
            for kind in _wider(kinds[row]):
                rows[kind].append(row)
        self._tails = {kind: Tails(values[of]) for kind, of in rows.items() if kind == _ANY or len(of) >= least}

    def p_values(self, kinds: Sequence[Kind], values: Values) -> Values:
        """Return two-sided p-values; 1 for what is not a number."""
        judged_by = {kind: self._judging(kind) for kind in set(kinds)}
        rows: Mapping[Kind, list[int]] = defaultdict(list)
        for row in np.flatnonzero(~np.isnan(values)).tolist():
            rows[judged_by[kinds[row]]].append(row)
        found = np.ones(len(values))
        for kind, of in rows.items():
            if kind in self._tails:
                found[of] = self._tails[kind].two_sided(values[of])
        return found

    def allowed(self, kind: Kind, level: float) -> tuple[float, float]:
        """Return the smallest and the largest human value that a level lets pass."""
        return self._tails[self._judging(kind)].allowed(level)

    def _judging(self, kind: Kind) -> Kind:
        return next((wider for wider in _wider(kind) if wider in self._tails), _ANY)


def _wider(kind: Kind) -> tuple[Kind, Kind, Kind]:
    return kind, Kind(kind.task, None), _ANY
