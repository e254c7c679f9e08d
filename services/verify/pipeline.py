"""Runs the checks over a batch: cheap ones first, none after the first that fails."""

import time
from collections.abc import Sequence
from typing import NamedTuple

from services.verify.audit import drawn
from services.verify.check import Batch, Check, Judge
from services.verify.fate import Judged, fate
from streams.samples import Verdict


class Run(NamedTuple):
    """All candidates of a batch, judged, and the seconds that each check took."""

    judged: Sequence[Judged]
    seconds: dict[str, float]


def run(checks: Sequence[Check], batch: Batch, audit_share: float) -> Run:
    """Judge each sample in turn; who is not rejected is in `batch.kept` before the next one's turn."""
    seconds: dict[str, float] = {}
    judges: list[tuple[str, Judge]] = []
    for check in checks:
        began = time.perf_counter()
        judges.append((check.name, check.over(batch)))
        seconds[check.name] = time.perf_counter() - began
    judged: list[Judged] = []
    for place, sample in enumerate(batch.samples):
        one = Judged(sample, _verdicts(judges, place, seconds), drawn(sample.sample_id, audit_share))
        if fate(one) != "reject":
            batch.kept.append(place)
        judged.append(one)
    return Run(judged, seconds)


def _verdicts(judges: Sequence[tuple[str, Judge]], place: int, seconds: dict[str, float]) -> list[Verdict]:
    verdicts: list[Verdict] = []
    for name, judge in judges:
        began = time.perf_counter()
        verdict = judge(place)
        seconds[name] += time.perf_counter() - began
        verdicts.append(verdict)
        if verdict.outcome == "fail":
            break
    return verdicts
