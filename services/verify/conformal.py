"""How improbable a document's value is among human ones, and how improbable it has to be for a family of checks.

Vovk, Gammerman and Shafer 2005 for conformal p-values; Westfall and Young 1993 for the level of the smallest of
several that depend on each other.
"""

import math

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

_TAIL = 0.1  # of the values are taken for the tail
_ROUNDING = 1e-9


class Tails:
    """The values of human documents, at least one.

    A p-value is the share of documents that are at least as extreme, with the new one among them: for as much as its
    place between its neighbours, so that hardly two p-values are equal, and beyond the last document for what an
    exponential tail leaves there, so that few documents too can tell what is far outside from what is just outside.

    >>> tails = Tails(np.arange(99.0))
    >>> tails.high(np.array([0.0, 49.5, 98.0])).tolist(), tails.low(np.array([9.0])).tolist()
    ([0.99, 0.495, 0.01], [0.1])
    >>> [f"{p:.4f}" for p in tails.two_sided(np.array([49.0, 98.5, 150.0]))]
    ['1.0000', '0.0179', '0.0000']
    """

    def __init__(self, values: Values) -> None:
        self._rising = np.sort(values)
        self._allowed: dict[float, tuple[float, float]] = {}

    def high(self, values: Values) -> Values:
        """Return the p-values against documents with values as large."""
        return _p(self._rising, values)

    def low(self, values: Values) -> Values:
        """Return the p-values against documents with values as small."""
        return _p(-self._rising[::-1], -values)

    def two_sided(self, values: Values) -> Values:
        """Return the p-values against documents as far on one side."""
        found: Values = np.minimum(1.0, 2 * np.minimum(self.low(values), self.high(values)))
        return found

    def allowed(self, level: float) -> tuple[float, float]:
        """Return the smallest and the largest of the values whose two-sided p-value is not below a level."""
        if level not in self._allowed:
            within = self._rising[self.two_sided(self._rising) >= level]
            self._allowed[level] = float(within[0]), float(within[-1])
        return self._allowed[level]

    def most(self, level: float) -> float:
        """Return the largest of the values whose p-value against values as large is not below a level."""
        return float(self._rising[self.high(self._rising) >= level][-1])


def _p(rising: Values, values: Values) -> Values:
    beyond = len(rising) - np.searchsorted(rising, values, "left")
    known, first = np.unique(rising, return_index=True)
    between = np.interp(values, known, len(rising) - first) - beyond
    tail = rising[-math.ceil(_TAIL * len(rising)) :]
    spread, outside = float((tail - tail[0]).mean()), np.maximum(values - rising[-1], 0.0)
    steps = np.divide(outside, spread, out=np.where(outside > 0, np.inf, 0.0), where=spread > 0)
    own = np.where(outside > 0, np.exp(-steps), np.clip(between, 0.0, 1.0))
    found: Values = (beyond + own) / (len(rising) + 1)
    return found


def level(smallest: Values, rate: float) -> float:
    """Return the level below which p-values are flagged, so that a family of checks flags a share `rate` of documents.

    `smallest` are the smallest p-values of human documents (n,), each against others; a new document's is below the
    level with probability `rate` at most. 0, so that nothing is flagged, if there are too few.
    """
    place = int(rate * (len(smallest) + 1) + _ROUNDING)
    return float(np.sort(smallest)[place - 1]) if place else 0.0


def shortage(documents: int, rate: float, check: str = "consistency", setting: str = "verify.false_flag") -> str | None:
    """Return what is wrong with so many documents in the reference's part `checks`; None if they are enough.

    `rate` is the value of `setting`.
    """
    needed = math.ceil(1 / rate - _ROUNDING)
    if documents >= needed:
        return None
    return (
        f"With {documents:,} documents in the reference's part `checks` and not the {needed:,} that {setting} "
        f"{rate:g} needs, `{check}` flags nothing; ingest more human data, or raise {setting}"
    )
