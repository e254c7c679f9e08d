"""Runs the checks over a batch: each sees only whom none before it has failed, and what costs most comes last."""

import time
from collections.abc import Sequence
from typing import NamedTuple

from services.index.texts import Match
from services.index.twins import Twins
from services.verify.audit import drawn, drawn_as_rare
from services.verify.check import Batch, Check
from services.verify.checks.duplicate import verdict
from services.verify.fate import Judged, fate
from services.verify.neighbour import Guide
from services.verify.work import Work
from streams.samples import Verdict


class Checks(NamedTuple):
    """What a recipe asks for; the guide knows human text.

    `quick` ones read memory; `costly` ones ask a process or a model, so they never see a text that repeats, from
    `near_duplicate` on (Jaccard similarity; None: never), one of its own batch that they have passed.
    """

    quick: Sequence[Check]
    costly: Sequence[Check]
    near_duplicate: float | None
    guide: Guide | None = None


class Run(NamedTuple):
    """All candidates of a batch, judged; the places of those that are not rejected; each check's work."""

    judged: Sequence[Judged]
    kept: Sequence[int]
    work: dict[str, Work]


def run(checks: Checks, batch: Batch, audit_share: float, rare_share: float = 0.0) -> Run:
    """Judge all samples. A sample is never the repetition of one that is rejected itself."""
    docket = _Docket(batch)
    audited = [drawn(sample.sample_id, audit_share) for sample in batch.samples]
    waiting = {place for place, is_audited in enumerate(audited) if is_audited}
    # Made first, so that the fingerprints that both it and the check need are no check's work.
    twins = _twins(batch, checks.near_duplicate)
    passed = docket.passing(checks.quick, range(len(batch.samples)))
    if twins is None:
        passed = docket.passing(checks.costly, passed)
    else:
        passed = _one_of_each(checks.costly, docket, passed, waiting, twins)
    judged = [Judged(*each) for each in zip(batch.samples, docket.verdicts, audited, strict=True)]
    if checks.guide is not None:
        judged = _guided(judged, batch, checks.guide, rare_share)
    return Run(judged, sorted(waiting.union(passed)), docket.work)


def _twins(batch: Batch, threshold: float | None) -> Twins | None:
    return None if threshold is None else Twins(batch.samples, batch.entries.prints, threshold)


class _Docket:
    """The verdicts on a batch as they come out, and what they cost."""

    def __init__(self, batch: Batch) -> None:
        self._batch = batch
        self.verdicts: list[list[Verdict]] = [[] for _ in batch.samples]
        self.work: dict[str, Work] = {}

    def passing(self, checks: Sequence[Check], places: Sequence[int]) -> Sequence[int]:
        """Let checks judge in turn, each those whom none before has failed; return whom none has."""
        batch = self._batch.select(places)
        for check in checks:
            if not places:
                break
            began = time.perf_counter()
            verdicts = check.over(batch)
            seconds = time.perf_counter() - began
            failed = [verdict.outcome == "fail" for verdict in verdicts]
            self.work[check.name] = self.work.get(check.name, Work()).plus(seconds, len(places), sum(failed))
            for place, said in zip(places, verdicts, strict=True):
                self.verdicts[place].append(said)
            kept = [row for row, has_failed in enumerate(failed) if not has_failed]
            places, batch = [places[row] for row in kept], batch.select(kept)
        return places

    def repeats(self, place: int, match: Match) -> None:
        """Fail a text that repeats another of its batch, although it repeats none that is committed."""
        others = [said for said in self.verdicts[place] if said.check != "duplicate"]
        self.verdicts[place] = [*others, verdict(match, 0.0)]


def _guided(judged: Sequence[Judged], batch: Batch, guide: Guide, rare_share: float) -> list[Judged]:
    """Draw from rare regions, and add the nearest human text to what a person has to decide about."""
    guided = list(judged)
    chosen = [place for place, one in enumerate(judged) if drawn_as_rare(one.sample.sample_id, rare_share)]
    for place, is_rare in zip(chosen, guide.in_rare_regions(batch.select(chosen)) if chosen else (), strict=True):
        guided[place] = guided[place]._replace(is_rare=is_rare)
    asked = [place for place, one in enumerate(guided) if fate(one) == "review"]
    for place, nearest in zip(asked, guide.neighbours(batch.select(asked)) if asked else (), strict=True):
        guided[place] = guided[place]._replace(nearest=nearest)
    return guided


def _one_of_each(
    costly: Sequence[Check], docket: _Docket, places: Sequence[int], waiting: set[int], known: Twins
) -> Sequence[int]:
    """Let costly checks judge the first of those that repeat each other, the next only where it has failed.

    Who waits for review whatever the checks say is known whatever they say; the others are if they pass.
    """
    known.add(waiting.difference(places))
    passed: list[int] = []
    while places:
        tried, later = known.none(), []
        first: list[int] = []
        for place in places:
            if (match := known.nearest(place)) is not None:
                docket.repeats(place, match)
            elif tried.nearest(place) is not None:
                later.append(place)
            else:
                tried.add([place])
                first.append(place)
        good = docket.passing(costly, first)
        known.add({*good, *waiting.intersection(first)})
        passed += good
        places = later
    return passed
