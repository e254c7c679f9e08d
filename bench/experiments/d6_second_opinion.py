"""D6: e-SR, ADWIN and Page-Hinkley side by side on the streams of D1 and D2: how late, and how often for nothing?

Setting: e-SR with the product's thresholds, ADWIN and Page-Hinkley with river's defaults, given the means of cells in
units of the baseline; none is tuned to this. The streams are those of D1, and made as in D2; for false alarms also
those of D2 without the drift, as long. A delay is until the first alarm, the median over streams; inf where most have
none. An alarm is false if nothing has changed; each detector starts afresh after one, so there may be several.
"""

from collections.abc import Iterator
from itertools import islice
from math import ceil, inf
from typing import NamedTuple

import numpy as np

from experiments import d1_detection, d2_slow_drift
from experiments.detectors import Scores, evidence_alarms, second_alarms
from streams.stats.sequential import CELL

RUNS = 15
Alarms = dict[str, list[int]]  # documents, by detector
Tables = dict[str, dict[str, dict[str, float]]]


class Tried(NamedTuple):
    """What all detectors said of one stream of so many tested documents."""

    row: str
    changes: bool
    documents: int
    alarms: Alarms


def measure(seed: int, human_streams: int = d1_detection.HUMAN_STREAMS, repeats: int = 3, runs: int = RUNS) -> Tables:
    """Return the delays and the false alarms of each detector."""
    tried: dict[tuple[str, bool], list[Tried]] = {}
    for each in [*_of_d1(seed, human_streams, repeats), *_of_d2(seed, runs)]:
        tried.setdefault((each.row, each.changes), []).append(each)
    delays = {row: _delays(of_row) for (row, changes), of_row in tried.items() if changes}
    false = {_told(row, of_row): _counts(of_row) for (row, changes), of_row in tried.items() if not changes}
    return {"documents to the alarm": delays, "false alarms": false}


def _of_d1(seed: int, human_streams: int, repeats: int) -> Iterator[Tried]:
    for each in d1_detection.streams(seed, human_streams, repeats):
        alarms = _alarms(each.baseline, each.tested, each.draws, d1_detection.LIMIT)
        changes = each.state == "retrained"
        row = "human" if each.source == "human" else f"{each.source}, {'retrained' if changes else 'healthy'}"
        yield Tried(row, changes, len(each.tested), alarms)


def _of_d2(seed: int, runs: int) -> Iterator[Tried]:
    rng = np.random.default_rng(seed)
    for name, pool in d2_slow_drift.pools(rng).items():
        for window in d2_slow_drift.WINDOWS:
            tested = ceil(3 * d2_slow_drift.expected(window) / CELL)
            for rate, row in ((d2_slow_drift.DRIFT / window, f"{name}, drift, window {window:,}"), (0.0, name)):
                for _ in range(runs):
                    cells = list(islice(d2_slow_drift.cells(rng, pool, rate), d2_slow_drift.BASELINE + tested))
                    before, after = (np.concatenate(part) for part in _parted(cells))
                    alarms = _alarms(before, after, rng.random(len(after)), d2_slow_drift.LIMIT)
                    yield Tried(row, rate > 0, len(after), alarms)


def _parted(cells: list[Scores]) -> tuple[list[Scores], list[Scores]]:
    return cells[: d2_slow_drift.BASELINE], cells[d2_slow_drift.BASELINE :]


def _alarms(baseline: Scores, tested: Scores, draws: Scores, limit: float) -> Alarms:
    second = second_alarms(baseline, tested)
    return {
        "e-SR": evidence_alarms(baseline, tested, draws, limit),
        "ADWIN": second["adwin_drifts"],
        "Page-Hinkley": second["page_hinkley_drifts"],
    }


def _delays(of_row: list[Tried]) -> dict[str, float]:
    first = [{name: alarms[0] if alarms else inf for name, alarms in each.alarms.items()} for each in of_row]
    return {name: float(np.median([each[name] for each in first])) for name in first[0]}


def _counts(of_row: list[Tried]) -> dict[str, float]:
    return {name: float(sum(len(each.alarms[name]) for each in of_row)) for name in of_row[0].alarms}


def _told(row: str, of_row: list[Tried]) -> str:
    return f"{row}: {len(of_row)} streams, {sum(each.documents for each in of_row):,} documents"
