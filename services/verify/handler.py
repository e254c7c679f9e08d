"""Verify's handler: candidates in, exactly one fate each out."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

from services.groups import source_of
from services.index.ids import IdArray, pack
from services.index.texts import Entries
from services.recipe import Verify
from services.verify.calibration import Calibration
from services.verify.check import Batch
from services.verify.checks.code import Code
from services.verify.fate import Judged, Stamp, output
from services.verify.known import Known
from services.verify.pipeline import Checks, run
from services.verify.work import Work, ordered
from streams.broker import Record
from streams.errors import DecodeError
from streams.events import SampleGenerated, SampleVerified
from streams.metrics import Metrics
from streams.processor import Handled, Input
from streams.samples import Sample
from streams.writer import Output

_HOUR_MS = 3_600_000


class Delta(NamedTuple):
    """What a committed batch adds to what is known, and to the counters."""

    fates: IdArray
    kept: Entries
    verdicts: Counter[tuple[str, str]]
    accepted: Counter[str]
    work: dict[str, Work]
    kills: Counter[str]


class Handler:
    """Judges candidates; a candidate that already has a fate is left alone, so that it never has two."""

    def __init__(self, recipe: Verify, known: Known, checks: Checks, now: Callable[[], int], metrics: Metrics) -> None:
        self._recipe, self._known, self._checks = recipe, known, checks
        self._now, self._metrics = now, metrics
        self._work: dict[str, Work] = {}

    def fold(self, records: Sequence[Record]) -> None:
        """Take committed records in."""
        before = self._known.calibration
        self._known.fold(records)
        if self._known.calibration is not before:
            self._export(self._known.calibration)

    def handle(self, batch: Sequence[Input]) -> Handled:
        """Judge the candidates that have no fate yet."""
        samples = [_sample(one) for one in batch]
        ids = pack([sample.sample_id.encode() for sample in samples])
        fresh = self._known.fates.fresh(ids)
        candidates = Batch([samples[place] for place in fresh.tolist()], self._known.texts.shape)
        found = run(self._in_order(), candidates, self._recipe.audit_share, self._recipe.rare_share)
        kept = candidates.select(found.kept)
        stamp = self._stamp()
        outputs = [output(one, stamp) for one in found.judged]
        return Handled(
            outputs,
            Delta(
                ids[fresh],
                kept.entries,
                _counted(found.judged),
                _accepted(outputs),
                found.work,
                _killed(found.judged),
            ),
        )

    def apply(self, delta: Delta) -> None:
        """Take a committed batch in."""
        self._known.settle(delta.fates, delta.kept)
        for (check, outcome), count in delta.verdicts.items():
            self._metrics.count("verdicts", count, check, outcome)
        for source, count in delta.accepted.items():
            self._metrics.count("accepted", count, source)
        for reason, count in delta.kills.items():
            self._metrics.count("sandbox_kills", count, reason)
        for check, work in delta.work.items():
            self._metrics.observe("check_duration_seconds", work.seconds, check)
            self._work[check] = self._work.get(check, Work()).then(work)

    def _export(self, calibration: Calibration) -> None:
        for truth, kept in (("right", calibration.right), ("wrong", calibration.wrong)):
            for side, value in kept.ratio()._asdict().items():
                self._metrics.set("verification_keep_ratio", value, truth, side)
        for side, value in calibration.break_even._asdict().items():
            self._metrics.set("verification_break_even_ratio", value, side)
        if self._recipe.judges:
            self._metrics.set("judge_floor", calibration.floors.floor(self._recipe.judge_floor))

    def _in_order(self) -> Checks:
        checks = self._checks
        return checks._replace(quick=ordered(checks.quick, self._work), costly=ordered(checks.costly, self._work))

    def _stamp(self) -> Stamp:
        now = self._now()
        return Stamp(now, now + round(self._recipe.audit_expires_hours * _HOUR_MS), self._recipe.audit_share)


def _sample(one: Input) -> Sample:
    if not isinstance(one.event, SampleGenerated):
        raise DecodeError(f"a {type(one.event).__name__} lies where a candidate should be")
    return one.event.sample


def _counted(judged: Sequence[Judged]) -> Counter[tuple[str, str]]:
    return Counter((verdict.check, verdict.outcome) for one in judged for verdict in one.verdicts)


def _accepted(outputs: Sequence[Output]) -> Counter[str]:
    events = (each.event for each in outputs)
    return Counter(source_of(event.sample) for event in events if isinstance(event, SampleVerified))


def _killed(judged: Sequence[Judged]) -> Counter[str]:
    """Count the programs that a limit ended, by the reason that their verdicts tell."""
    codes = (verdict for one in judged for verdict in one.verdicts if verdict.check == Code.name)
    return Counter(code.evidence["killed"] for code in codes if "killed" in code.evidence)
