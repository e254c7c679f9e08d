"""When each of the detectors raises its alarms on a stream of scores: the conformal e-SR test, ADWIN, Page-Hinkley."""

import numpy as np
from numpy.typing import NDArray

from streams.stats.second_opinion import SecondOpinion, means
from streams.stats.sequential import CELL, Baseline, Evidence

Scores = NDArray[np.float64]


def evidence_alarms(baseline: Scores, tested: Scores, draws: Scores, limit: float) -> list[int]:
    """Return after how many tested documents e-SR's evidence reached the limit; it starts afresh each time."""
    calibrated = Baseline(baseline)
    logs = calibrated.log_e(calibrated.p_values(tested, draws))
    evidence, found = Evidence(tested.shape[1]), []
    for end in range(CELL, len(tested) + 1, CELL):
        evidence.update(logs[end - CELL : end].sum(axis=0))
        if evidence.get()["evidence"] >= limit:
            evidence = Evidence(tested.shape[1])
            found.append(end)
    return found


def second_alarms(baseline: Scores, tested: Scores) -> dict[str, list[int]]:
    """Return after how many tested documents ADWIN and Page-Hinkley found drifts."""
    opinion = SecondOpinion(baseline)
    known = opinion.get()
    found: dict[str, list[int]] = {name: [] for name in known}
    for number, mean in enumerate(means(tested)):
        opinion.update(mean[np.newaxis])
        now = opinion.get()
        for name in known:
            found[name] += [(number + 1) * CELL] * int(now[name] - known[name])
        known = now
    return found
