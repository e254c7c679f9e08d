"""What two classical detectors say of a stream's change, beside the conformal test: ADWIN and Page-Hinkley, by river.

Bifet and Gavaldà 2007 (SIAM Int. Conf. Data Mining, 443-448); Page 1954 (Biometrika 41, 100-115). Neither bounds its
false alarms over a stream of any distribution, so they are an opinion and decide nothing.
"""

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from river.drift import ADWIN, PageHinkley

from streams.stats.sequential import CELL
from streams.stats.statistic import State

MEMORY = 2_048  # cells
_STARTED: Mapping[str, Callable[[], Any]] = {
    "adwin_drifts": partial(ADWIN, clock=1),
    "page_hinkley_drifts": PageHinkley,
}
_KINDS = tuple(_STARTED.values())


class SecondOpinion:
    """Drifts that ADWIN and a two-sided Page-Hinkley test find in the means of cells, in each statistic on its own.

    `calibration` is (documents, statistics), of the stream's own baseline, and gives the unit: a cell's mean counts in
    standard deviations of such a mean, as do Page-Hinkley's delta, .005, and threshold, 50. Both have river's defaults,
    but that ADWIN looks at every cell, not at each 32nd. On normal means ADWIN found none in 108,000 cells,
    Page-Hinkley one in each 2,800 (`bench/experiments`, D6).

    `update` takes (cells, statistics) means of CELL documents; their order matters, so two of these can't be merged.
    What is normal the detectors learn from what they are given: first the cells of the baseline, where no drift counts.
    Values: `adwin_drifts` and `page_hinkley_drifts`, how many each has found, over all statistics. A detector that has
    found one starts afresh, and one that was given MEMORY means too, for the state is what it was given since, and
    restoring replays it: exact, where river itself could only pickle.

    >>> rng = np.random.default_rng(0)
    >>> opinion = SecondOpinion(rng.normal(size=(1_000, 1)))
    >>> opinion.update(rng.normal(1, 0.2, (40, 1)))
    >>> opinion.get()
    {'adwin_drifts': 1.0, 'page_hinkley_drifts': 1.0}
    """

    def __init__(self, calibration: NDArray[np.float64]) -> None:
        statistics = calibration.shape[1]
        self._spread = calibration.std(axis=0) / math.sqrt(CELL)
        self._given = np.empty((0, statistics), np.float32)
        self._since = np.zeros((len(_KINDS), statistics), np.int64)  # of what was given, how much since the last start
        self._drifts = np.zeros(len(_KINDS), np.int64)
        self._detectors = [[started() for _ in range(statistics)] for started in _KINDS]
        self.update(means(calibration))
        self._drifts = np.zeros(len(_KINDS), np.int64)

    def update(self, batch: NDArray[np.float64]) -> None:
        """Take the means of cells in, one after the other."""
        found = np.divide(batch, self._spread, out=np.zeros_like(batch), where=self._spread > 0)
        for row in found.astype(np.float32):  # as they are kept, so that a replay is exact
            self._take(row)

    def get(self) -> Mapping[str, float]:
        """Return how many drifts each of the two has found."""
        return {name: float(count) for name, count in zip(_STARTED, self._drifts, strict=True)}

    def state(self) -> State:
        """Return what was given since the detector that has run longest started, and what each knows of it."""
        return {"given": self._given, "since": self._since, "drifts": self._drifts}

    def restore(self, state: State) -> None:
        """Become what returned the state; takes some milliseconds."""
        self._given, self._since, self._drifts = state["given"], state["since"], state["drifts"]
        for (kind, column), since in np.ndenumerate(self._since):
            self._detectors[kind][column] = detector = _KINDS[kind]()
            for value in self._given[len(self._given) - since :, column].tolist():
                detector.update(value)

    def _take(self, row: NDArray[np.float32]) -> None:
        since, drifts = self._since.copy(), self._drifts.copy()
        for kind, column in np.ndindex(since.shape):
            if since[kind, column] == MEMORY:
                self._detectors[kind][column], since[kind, column] = _KINDS[kind](), 0
            detector = self._detectors[kind][column]
            detector.update(float(row[column]))
            since[kind, column] += 1
            if detector.drift_detected:
                drifts[kind] += 1
                since[kind, column] = 0  # river starts it afresh before the next mean
        given = np.concatenate((self._given, row[np.newaxis]))
        self._given, self._since, self._drifts = given[len(given) - since.max() :], since, drifts


def means(scores: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return (cells, statistics) means of whole cells of (documents, statistics)."""
    whole = scores[: len(scores) // CELL * CELL].reshape(-1, CELL, scores.shape[1])
    return np.asarray(whole.mean(axis=1, dtype=np.float64))
