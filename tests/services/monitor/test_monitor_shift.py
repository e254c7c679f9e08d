"""When the human seeds move, who follows them has shifted; who changes for no such reason has changed."""

from collections.abc import Sequence

import numpy as np

from services.artefact import SCORES, TRAITS
from services.monitor import control, group
from services.monitor.core import MonitorCore
from services.monitor.decisions import Decisions, Source
from services.monitor.state import Setting, State
from services.monitor.yardstick import Yardstick
from streams.events import BatchSketched
from streams.stats.documents import WORDS, Documents
from streams.stats.sequential import CELL, threshold

LIMITS = control.Limits(floor=0.05, cap=0.3)
SEED, SOURCE = "seed/text/human", "generate/text/bi"
LEARNT = 4_000  # warm-up, baseline, and some that are tested
START = LEARNT + 3_000


class Monitored:
    """The core behind sketches of one partition whose documents have the wanted mean scores."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        setting = Setting(
            partitions=1, width=10_000, threshold=threshold(25e6, 2), limits=LIMITS, artefact="a", version=1
        )
        self._core = MonitorCore(setting, Yardstick(self._documents(60, [0.0] * len(SCORES)), 30))
        sources = {"bi": Source(phase="healthy")}  # by windows, which are never whole here
        self.state = State(decisions=Decisions(control=control.start(LIMITS), sources=sources))
        self._sketches = 0
        self._seen = {SEED: 0, SOURCE: 0}

    def takes(self, name: str, count: int, mean: float | Sequence[float]) -> list[str]:
        """Take documents and return the kinds of the alarms."""
        means = [mean] * len(SCORES) if isinstance(mean, float) else list(mean)
        kinds = []
        for _ in range(count // CELL):
            start = self._seen[name]
            self._seen[name] += CELL
            event = BatchSketched(
                event_id="",
                occurred_at=self._sketches,
                source_topic=name.partition("/")[0],
                source_partition=0,
                from_position=start,
                to_position=start + CELL,
                documents=CELL,
                artefact_hash="a",
                reference_version=1,
                groups={f"{name}#{start // CELL}": self._documents(CELL, means).to_bytes()},
            )
            step = self._core.take(self.state, event, self._sketches)
            self.state, self._sketches = step.state, self._sketches + 1
            kinds += [each.alarm_kind for each in step.measured if each.alarm]
        return kinds

    def _documents(self, count: int, means: Sequence[float]) -> Documents:
        return Documents(
            keys=self._rng.integers(0, 1 << 63, count).astype(np.uint64),
            words=self._rng.integers(0, 1 << 32, (count, WORDS)).astype(np.uint32),
            vectors=self._rng.normal(size=(count, 4)).astype(np.float16),
            scores=(self._rng.normal(size=(count, len(SCORES))) + means).astype(np.float32),
            traits=self._rng.random((count, len(TRAITS))).astype(np.float32),
            symbols=self._rng.integers(0, 150, (count, WORDS), np.uint8),
            strata=np.zeros(count, np.uint16),
            meanings=np.empty((count, 0), np.float16),
        )

    @property
    def phase(self) -> str:
        return self.state.decisions.source("bi").phase


def settled(seed: int = 1) -> Monitored:
    """Return a monitor to which seeds and source are well known."""
    monitored = Monitored(seed)
    assert monitored.takes(SEED, LEARNT, 0.0) == []
    assert monitored.takes(SOURCE, LEARNT, 0.0) == []
    assert monitored.phase == "healthy"
    return monitored


def test_seeds_of_a_new_domain_have_shifted_and_the_source_that_follows_them_too() -> None:
    monitored = settled()
    assert monitored.takes(SEED, 500, 2.0) == ["shift"]
    assert monitored.takes(SOURCE, 500, 0.7) == ["shift"]
    assert monitored.phase == "healthy"


def test_a_source_that_changes_with_the_seeds_has_shifted_though_theirs_is_not_certain_yet() -> None:
    monitored = settled()
    assert monitored.takes(SEED, 25, 2.0) == []
    assert monitored.takes(SOURCE, 500, 0.7) == ["shift"]


def test_a_source_that_changes_while_the_seeds_stand_still_has_changed() -> None:
    monitored = settled()
    assert monitored.takes(SOURCE, 500, 0.7) == ["change"]
    assert monitored.phase == "quarantined"


def test_a_source_that_changes_long_after_a_shift_has_changed_though_the_seeds_have_no_new_baseline() -> None:
    monitored = settled()
    monitored.takes(SEED, 500, 2.0)
    assert monitored.takes(SOURCE, START, 0.7) == ["shift"]
    assert not monitored.state.groups[SEED].change.admitted
    assert monitored.takes(SOURCE, 500, 0.0) == ["change"]
    assert monitored.phase == "quarantined"


def test_a_source_that_began_after_a_shift_has_changed_when_it_changes() -> None:
    monitored = Monitored(2)
    monitored.takes(SEED, LEARNT, 0.0)
    assert monitored.takes(SEED, 500, 2.0) == ["shift"]
    assert monitored.takes(SOURCE, LEARNT, 0.7) == []
    assert monitored.takes(SOURCE, 500, 0.0) == ["change"]


def test_a_source_that_follows_more_and_more_new_seeds_has_never_changed() -> None:
    monitored = settled()
    kinds = []
    for new in range(500, 8_001, 500):
        assert monitored.takes(SEED, 500, 2.0) == (["shift"] if new == 500 else [])
        kinds += monitored.takes(SOURCE, 1_000, 2.0 * new / (LEARNT + new))
    assert monitored.state.groups[SEED].change.admitted
    assert len(kinds) > 1
    assert set(kinds) == {"shift"}


def test_after_a_shift_the_baseline_waits_until_novelty_has_forgotten_the_old_domain() -> None:
    monitored = settled()
    novel = [1.5] * (len(SCORES) - 1)
    monitored.takes(SEED, 1_000, 2.0)
    assert monitored.takes(SOURCE, 1_000, [*novel, 2.0]) == ["shift"]
    assert monitored.takes(SOURCE, START, [0.0] * (len(SCORES) - 1) + [2.0]) == []
    assert monitored.state.groups[SOURCE].change.admitted


def test_what_is_known_of_a_shift_is_stored() -> None:
    monitored = settled()
    monitored.takes(SEED, 500, 2.0)
    monitored.takes(SOURCE, 500, 0.7)
    for name in (SEED, SOURCE):
        known = monitored.state.groups[name]
        again = group.from_bytes(known.to_bytes(), 1, 10_000)
        assert known.begun > 0
        assert known.change.waits > 0
        assert (again.begun, again.change.waits) == (known.begun, known.change.waits)
