"""Sequential change detection with a bounded rate of false alarms, whatever the distribution: the conformal e-SR test.

A document's statistic becomes a p-value against the stream's own baseline, the p-value becomes bets on a rise and on
a fall, and the bets' wins multiply. Shin, Ramdas and Rinaldo 2023 (arXiv 2203.03532) for e-detectors; Vovk and Wang
2021 (Ann. Stat. 49) for averages of e-values; Vovk, Gammerman and Shafer 2005 for conformal p-values.
"""

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from streams.stats.statistic import State

CELL = 25  # documents that are decided about together
_STAKES = np.array([0.25, 0.5, 0.75, 0.9])
_SIDES = np.array([1.0, -1.0])
BETS = len(_STAKES) * len(_SIDES)
_LEAST_TOLERANCE = 0.05
_CALIBRATION_ERROR = 1.75  # of a p-value, in units of 1 / sqrt(calibration documents)

Logs = NDArray[np.float64]


class Baseline:
    """The calibration values of one or more statistics: turns values into log e-values.

    `calibration` is (documents, statistics); 1,000 documents or more, all from before the ones that are tested. The
    tolerance b leaves shifts of a p-value's mean below it alone, those that calibration error alone can make.

    >>> baseline = Baseline(np.arange(1_000.0).reshape(-1, 1))
    >>> baseline.p_values(np.array([[-1.0], [500.0]]), np.array([0.5, 0.5])).round(3).ravel().tolist()
    [1.0, 0.5]
    """

    def __init__(self, calibration: NDArray[np.float64]) -> None:
        self._sorted = np.sort(calibration, axis=0)
        self.tolerance = max(_LEAST_TOLERANCE, _CALIBRATION_ERROR / math.sqrt(max(1, len(calibration))))

    def p_values(self, values: NDArray[np.float64], draws: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return (documents, statistics) p-values: the share of calibration above, ties broken by `draws` in [0, 1).

        Uniform while the stream is what it was. The draws come from the documents' ids, so that a redo repeats them.
        """
        size = len(self._sorted)
        above, level = np.empty(values.shape), np.empty(values.shape)
        for column in range(values.shape[1]):
            low = np.searchsorted(self._sorted[:, column], values[:, column], "left")
            high = np.searchsorted(self._sorted[:, column], values[:, column], "right")
            above[:, column], level[:, column] = size - high, high - low
        p: NDArray[np.float64] = (above + draws[:, np.newaxis] * (level + 1)) / (size + 1)
        return p

    def log_e(self, p: NDArray[np.float64]) -> Logs:
        """Return (documents, statistics, bets) natural logs of e-values; they add up over documents."""
        lean = (1 - 2 * p)[..., np.newaxis] * np.repeat(_SIDES, len(_STAKES)) - self.tolerance
        bets: Logs = np.log1p(np.tile(_STAKES, len(_SIDES)) * lean)
        return bets


class Evidence:
    """The e-SR statistic over cells: M becomes (M + 1) E, one M for each statistic and bet.

    `update` takes the (statistics, bets) sums of log e over one cell of 25 documents; the order of the cells matters,
    so two of these can't be merged. Values: `evidence`, the mean M over statistics and bets; `strongest`, which
    statistic has the largest mean over its bets. An alarm at evidence >= c comes at most once in c cells on average
    while nothing changes, if the calibration error is within the baseline's tolerance.

    >>> evidence = Evidence(statistics=1)
    >>> evidence.update(np.zeros((1, BETS)))
    >>> evidence.get()
    {'evidence': 1.0, 'strongest': 0.0}
    """

    def __init__(self, statistics: int) -> None:
        self._log_m = np.full((statistics, BETS), -np.inf)

    def update(self, batch: Logs) -> None:
        """Take one cell in."""
        self._log_m = np.logaddexp(self._log_m, 0.0) + batch

    def get(self) -> Mapping[str, float]:
        """Return the evidence and the statistic that has most of it."""
        with np.errstate(over="ignore"):
            means = np.exp(self._log_m).mean(axis=1)
        return {"evidence": float(means.mean()), "strongest": float(means.argmax())}

    def state(self) -> State:
        """Return the logs of M."""
        return {"log_m": self._log_m}

    def restore(self, state: State) -> None:
        """Become what returned the state."""
        self._log_m = state["log_m"]


def threshold(documents_between_false_alarms: float, groups: int) -> float:
    """Return c for the wanted mean number of documents between two false alarms of all groups together."""
    return documents_between_false_alarms / CELL * max(1, groups)
