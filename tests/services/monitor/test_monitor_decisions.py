import json
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from monitor_world import LIMITS, START

from services.monitor import control
from services.monitor import decisions as deciding
from services.monitor.decisions import PROBATION_WEIGHT, Alarm, Decisions, Phase
from streams.parts import OPEN_END, covered
from streams.stats.cells import Codebook

NAMES = ("a", "b")
PARTITIONS = 3
WAYS: set[tuple[Phase, Phase]] = {
    ("admitting", "healthy"),
    ("admitting", "refused"),
    ("admitting", "quarantined"),
    ("healthy", "quarantined"),
    ("quarantined", "probation"),
    ("probation", "quarantined"),
    ("probation", "healthy"),
}
names = st.sampled_from(NAMES)
offsets = st.fixed_dictionaries(dict.fromkeys(range(PARTITIONS), st.integers(0, 100)))
times = st.integers(0, 10**12)


def alarm(held: Mapping[int, int], at: int = 5) -> Alarm:
    return Alarm(at=at, held=held, reason="it changed", inputs={"evidence": 1e9})


class DecisionStory(RuleBasedStateMachine):
    """Sources come, change and return, as the core and the steward let them."""

    @initialize()
    def start(self) -> None:
        self.now = START
        self.dropped = 0
        self.window = -1

    def follow(self, then: Decisions, name: str | None = None) -> None:
        for each in NAMES:
            before, after = self.now.source(each), then.source(each)
            assert before == after or each == name, "only the source that it is about"
            assert before.phase == after.phase or (before.phase, after.phase) in WAYS
        assert then.number - self.now.number == int(then.reason != self.now.reason or then.sources != self.now.sources)
        assert then.dropped[: len(self.now.dropped)] == self.now.dropped, "what is dropped stays so"
        assert deciding.from_bytes(deciding.to_bytes(then)) == then
        self.now = then

    @rule(name=names, at=times, refused_for=st.sampled_from([None, "it is noise"]))
    def admit(self, name: str, at: int, refused_for: str | None) -> None:
        then = deciding.admitted(self.now, name, at, refused_for=refused_for)
        if self.now.source(name).phase != "admitting":
            assert then is self.now
        else:
            assert then.source(name).phase == ("refused" if refused_for else "healthy")
            assert name in then.reason
            assert then.source(name).since == at
        assert deciding.admitted(then, name, at, refused_for=refused_for) is then
        self.follow(then, name)

    @rule(name=names, held=offsets, at=times)
    def raise_alarm(self, name: str, held: Mapping[int, int], at: int) -> None:
        before = self.now.source(name)
        then = deciding.alarmed(self.now, name, alarm(held, at), LIMITS)
        if before.phase in ("quarantined", "refused"):
            assert then is self.now
        else:
            after = then.source(name)
            assert (after.phase, after.since) == ("quarantined", at)
            assert after.held == (before.held if before.phase == "probation" else held)
            assert (then.control.alpha, then.control.phase) == (LIMITS.floor, "dwelling")
            assert (then.reason, then.regenerate, then.inputs) == ("it changed", (name,), {"evidence": 1e9})
        assert deciding.alarmed(then, name, alarm({}), LIMITS) is then
        self.follow(then, name)

    @precondition(lambda self: self.of("quarantined"))
    @rule(data=st.data(), at=times, tested=st.integers(0, 10_000))
    def let_speak(self, data: st.DataObject, at: int, tested: int) -> None:
        name = data.draw(st.sampled_from(self.of("quarantined")))
        then = deciding.on_probation(self.now, name, at, tested)
        assert deciding.held(then) == deciding.held(self.now)
        assert then.source(name) == replace(self.now.source(name), phase="probation", since=at, tested=tested)
        assert not then.regenerate
        self.follow(then, name)

    @precondition(lambda self: self.of("probation"))
    @rule(data=st.data(), at=times, ends=st.dictionaries(st.integers(0, PARTITIONS - 1), st.integers(0, 200)))
    def take_back(self, data: st.DataObject, at: int, ends: Mapping[int, int]) -> None:
        name = data.draw(st.sampled_from(self.of("probation")))
        held = self.now.source(name).held
        then = deciding.returned(self.now, name, at, ends)
        new = then.dropped[len(self.now.dropped) :]
        for partition in range(PARTITIONS):
            for offset in range(0, 210, 7):
                is_held = covered(deciding.held(self.now), name, partition, offset)
                assert is_held == (offset >= held[partition])
                assert covered(new, name, partition, offset) == (is_held and offset < ends.get(partition, 0))
        assert {each.source for each in new} == {name}
        assert not [each for each in deciding.held(then) if each.source == name]
        self.follow(then, name)

    @rule(newer=st.integers(-2, 3), excess=st.none() | st.floats(0, 5))
    def measure(self, newer: int, excess: float | None) -> None:
        window = self.now.control.window + newer
        then = deciding.measured(self.now, window, excess, LIMITS, {"types": 1.0})
        assert then.sources == self.now.sources
        if newer <= 0:
            assert then is self.now
        elif not self.of("healthy"):
            assert then == replace(self.now, control=replace(self.now.control, window=window))
        else:
            assert then.control == control.step(self.now.control, window, excess, LIMITS)
            if then.control.alpha != self.now.control.alpha:
                assert (then.inputs, then.regenerate) == ({"types": 1.0}, ())
                assert ("raised" in then.reason) == (then.control.alpha > self.now.control.alpha)
                assert f"{then.control.alpha:.2f}: window {window} of the mix" in then.reason
        assert deciding.measured(then, window, excess, LIMITS, {}) is then
        self.follow(then)

    @invariant()
    def nothing_of_a_source_that_is_out_is_drawn(self) -> None:
        held, weights = deciding.held(self.now), deciding.weights(self.now)
        for name in NAMES:
            source = self.now.source(name)
            first = {"refused": dict.fromkeys(range(PARTITIONS), 0)}.get(source.phase, source.held)
            if source.phase in ("refused", "quarantined", "probation"):
                assert weights[name] == (PROBATION_WEIGHT if source.phase == "probation" else 0.0)
            else:
                assert name not in weights, "it keeps the recipe's"
                first = {}
            for partition in range(PARTITIONS):
                for offset in (0, 50, 99, 100, 10**9, OPEN_END - 1):
                    is_out = partition in first and offset >= first[partition]
                    assert covered(held, name, partition, offset) == is_out

    def of(self, phase: Phase) -> list[str]:
        return [name for name in NAMES if self.now.source(name).phase == phase]


TestDecisions = DecisionStory.TestCase


def test_a_share_that_no_healthy_source_backs_stays_though_the_mix_is_clean() -> None:
    now = START
    for window in range(20):
        now = deciding.measured(now, window, 0.0, LIMITS, {})
    assert (now.control.alpha, now.control.window, now.number) == (LIMITS.floor, 19, 0)
    refused = deciding.admitted(now, "a", 0, refused_for="noise")
    assert deciding.measured(refused, 20, 0.0, LIMITS, {}).control.alpha == LIMITS.floor
    healthy = deciding.admitted(now, "b", 0, refused_for=None)
    assert deciding.measured(healthy, 20, 0.0, LIMITS, {}).control.alpha > LIMITS.floor


@given(st.none() | st.floats(0, 9))
def test_a_window_that_could_not_be_measured_is_told_so(excess: float | None) -> None:
    now = deciding.admitted(START, "a", 0, refused_for=None)
    now = replace(now, control=replace(now.control, alpha=0.25, integral=0.25))
    then = deciding.measured(now, 0, excess, LIMITS, {})
    if then.number > now.number:
        expected = (
            "can't be compared with human text" if excess is None else f"lies {excess:.2f} tolerances beyond human text"
        )
        assert expected in then.reason
    if excess is None:
        assert then.control.alpha < 0.25


def test_regions_are_neglected_that_all_sources_together_reach_too_little_but_for_those_that_are_out() -> None:
    of = Codebook(np.zeros((3, 1)), np.array([50, 30, 20]), np.zeros(3, np.bool_))
    alone = deciding.reached(START, "a", np.array([60, 0, 40]), of)
    assert alone.neglected == (1,)
    both = deciding.reached(alone, "b", np.array([40, 60, 0]), of)
    assert both.neglected == ()
    out = deciding.alarmed(both, "b", alarm({}), LIMITS)
    again = deciding.reached(out, "a", np.array([70, 0, 30]), of)
    assert again.neglected == (1,)
    assert again.reached == {"a": (70, 0, 30), "b": (40, 60, 0)}
    assert deciding.reached(again, "b", np.array([0, 100, 0]), of).neglected == (1,)
    assert deciding.from_bytes(deciding.to_bytes(again)) == again
    assert (again.number, again.reason) == (out.number, out.reason), "that decides nothing about the mixture"


def test_regions_of_another_reference_and_of_another_model_are_none() -> None:
    now = replace(START, reached={"a": (1, 2), "b": (3, 4)}, neglected=(0,), declared={"a": "x", "b": "y"})
    other = deciding.renumbered(now, 7)
    assert (other.reached, other.neglected) == ({}, ())
    assert deciding.renumbered(now, START.version) is now
    assert deciding.declare(now, {"a": "z", "b": "y"})[0].reached == {"b": (3, 4)}


def test_decisions_that_were_stored_before_regions_were_counted_have_none() -> None:
    stored = json.loads(deciding.to_bytes(START))
    del stored["reached"], stored["neglected"]
    assert deciding.from_bytes(json.dumps(stored).encode()) == START
