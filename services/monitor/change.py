"""Has a group changed against its own admission baseline? One sequential test over its cells, in the log's order."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from services.monitor.cell import Cell
from streams.stats.documents import Documents
from streams.stats.novelty import MEMORY
from streams.stats.second_opinion import SecondOpinion, means
from streams.stats.sequential import BETS, CELL, Baseline, Evidence
from streams.stats.statistic import State

ADMISSION = 2_000  # documents of the baseline
_FORGOTTEN = MEMORY * 11 // 10  # documents; a tenth more, for partitions do not fill alike
_CLEAN = 10.0  # evidence, as odds, below which nothing is suspected
_MOST_SUSPECTS = 8_000
_BITS = np.float64(2**53)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The test's state.

    `scores` (n, k) are the baseline, complete with ADMISSION rows; `log_m` the logs of the evidence of each statistic
    and bet. `suspects` are the keys of the documents since the evidence was last low, `since` where those begin.
    `waits` more documents come before the baseline. The second `opinion` is of the same cells, and decides nothing.
    """

    scores: NDArray[np.float32]
    log_m: NDArray[np.float64]
    suspects: NDArray[np.uint64] = field(default_factory=lambda: np.empty(0, np.uint64))
    since: Mapping[int, int] = field(default_factory=dict)
    tested: int = 0
    waits: int = 0
    baseline: Baseline | None = None
    opinion: SecondOpinion | None = None

    @property
    def admitted(self) -> bool:
        """Tell whether the baseline is complete."""
        return self.baseline is not None

    @property
    def is_testing(self) -> bool:
        """Tell whether there is evidence; all sources together have some without a baseline of their own."""
        return self.admitted or (self.tested > 0 and not self.waits and not len(self.scores))

    def take(self, cell: Cell) -> "Change":
        """Take the next cell in, which may lack documents: first for the baseline, then to test it."""
        if self.waits > 0:
            return replace(self, waits=self.waits - CELL)
        if not len(cell.documents.keys):
            return self
        if self.baseline is None:
            scores = np.concatenate((self.scores, cell.documents.scores))
            return replace(self, scores=scores, baseline=baseline_of(scores), opinion=opinion_of(scores))
        opinion = deepcopy(self.opinion)
        if opinion is not None:
            opinion.update(means(cell.documents.scores))
        return replace(self.after(self.logs(cell.documents), cell), opinion=opinion)

    def logs(self, documents: Documents) -> NDArray[np.float64]:
        """Return the (statistics, bets) sums of the documents' log e-values; 0 while there is no baseline."""
        if self.baseline is None:
            return np.zeros(self.log_m.shape)
        p = self.baseline.p_values(documents.scores.astype(np.float64), draws(documents.keys))
        return np.asarray(self.baseline.log_e(p).sum(axis=0))

    def after(self, logs: NDArray[np.float64], cell: Cell) -> "Change":
        """Return the test after a cell with these sums."""
        evidence = self._evidence()
        evidence.update(logs)
        keys = cell.documents.keys
        tested = replace(self, log_m=evidence.state()["log_m"], tested=self.tested + len(keys))
        if evidence.get()["evidence"] < _CLEAN:
            return replace(tested, suspects=np.empty(0, np.uint64), since={})
        suspects = np.concatenate((self.suspects, keys))[-_MOST_SUSPECTS:]
        return replace(tested, suspects=suspects, since={cell.partition: cell.start, **self.since})

    def evidence(self) -> tuple[float, int]:
        """Return the evidence, as odds, and the place of the statistic that has most of it."""
        found = self._evidence().get()
        return found["evidence"], int(found["strongest"])

    def drifts(self) -> Mapping[str, float]:
        """Return how many drifts each of the second opinion's detectors has found since the baseline."""
        return {} if self.opinion is None else self.opinion.get()

    def retested(self) -> "Change":
        """Return the same baseline with all evidence gone."""
        none = fresh(self.scores.shape[1])
        return replace(self, log_m=none.log_m, suspects=none.suspects, since=none.since)

    def anew(self) -> "Change":
        """Return a test that takes a new baseline first, once novelty has forgotten what was said before."""
        return replace(fresh(self.scores.shape[1]), tested=self.tested, waits=_FORGOTTEN)

    def means(self, documents: Documents) -> NDArray[np.float64]:
        """Return by how many standard deviations of the baseline the documents' means differ from it."""
        spread = self.scores.std(axis=0, dtype=np.float64)
        shift = documents.scores.mean(axis=0, dtype=np.float64) - self.scores.mean(axis=0, dtype=np.float64)
        return np.asarray(np.divide(shift, spread, out=np.zeros_like(shift), where=spread > 0))

    def _evidence(self) -> Evidence:
        evidence = Evidence(len(self.log_m))
        evidence.restore({"log_m": self.log_m})
        return evidence


def fresh(statistics: int) -> Change:
    """Return a test without a baseline."""
    return Change(scores=np.empty((0, statistics), np.float32), log_m=np.full((statistics, BETS), -np.inf))


def draws(keys: NDArray[np.uint64]) -> NDArray[np.float64]:
    """Return a number in [0, 1) for each document's key: the same whenever it is tested."""
    mixed = (keys ^ (keys >> np.uint64(29))) * np.uint64(0xD6E8FEB86659FD93)
    found: NDArray[np.float64] = ((mixed ^ (mixed >> np.uint64(32))) >> np.uint64(11)) / _BITS
    return found


def baseline_of(scores: NDArray[np.float32]) -> Baseline | None:
    """Return the baseline, or None while it is not complete."""
    return Baseline(scores.astype(np.float64)) if len(scores) >= ADMISSION else None


def opinion_of(scores: NDArray[np.float32], state: State | None = None) -> SecondOpinion | None:
    """Return the second opinion on this baseline, as it was stored if it was; None while it is not complete."""
    if len(scores) < ADMISSION:
        return None
    opinion = SecondOpinion(scores.astype(np.float64))
    if state:
        opinion.restore(state)
    return opinion
