from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from monitor_world import LIMITS, START

from services import steering
from services.monitor import control
from services.monitor import decisions as deciding
from services.monitor.decisions import Alarm, Decisions
from services.monitor.policy import AUTHOR, LASTS_MS, RENEWED_MS, next_policy
from services.policy import Policies, decisions, has_expired
from streams.broker import Outgoing, TopicPartition
from streams.codec import Codec
from streams.events import MixPolicySet, event_id
from streams.memory import MemoryBroker
from streams.parts import OPEN_END, SourceRange, covered
from streams.topics import ensure, name

CODEC = Codec()
NOW = 1_700_000_000_000
STEERING = replace(
    deciding.admitted(deciding.admitted(START, "a", 0, refused_for=None), "b", 0, refused_for=None),
    control=replace(control.start(LIMITS), alpha=0.3, integral=0.3, window=9),
    inputs={"hapax": 0.3},
)
ALARM = Alarm(at=NOW, held={0: 40, 1: 50}, reason="source a changed", inputs={"evidence": 1e9})
ALARMED = deciding.alarmed(STEERING, "a", ALARM, LIMITS)
HELD = (
    SourceRange(source="a", partition=0, from_offset=40, to_offset=OPEN_END),
    SourceRange(source="a", partition=1, from_offset=50, to_offset=OPEN_END),
)


def written(last: MixPolicySet | None, decisions: Decisions, now: int) -> MixPolicySet | None:
    """Return the policy that is to be written, as readers have it from the log."""
    policy = next_policy(last, decisions, now)
    if policy is None:
        return None
    event = CODEC.decode(CODEC.encode(policy))
    assert isinstance(event, MixPolicySet)
    return event


def first(decisions: Decisions = STEERING) -> MixPolicySet:
    policy = written(None, decisions, NOW)
    assert policy is not None
    return policy


class Table:
    """A person and the monitor at one topic, with the real steering."""

    def __init__(self) -> None:
        self.broker = MemoryBroker()
        ensure(self.broker, "p")
        self._policies = Policies(CODEC)

    @property
    def last(self) -> MixPolicySet | None:
        consumer = self.broker.consumer()
        consumer.assign({TopicPartition(name("p", "policy"), 0): 0})
        self._policies.fold(consumer.poll(100_000, 0))
        return self._policies.latest

    def look(self, decisions: Decisions, now: int) -> MixPolicySet | None:
        """Write what the monitor wants, if anything, and return it."""
        policy = written(self.last, decisions, now)
        if policy is not None:
            producer = self.broker.producer()
            producer.send([Outgoing(name("p", "policy"), b"", CODEC.encode(policy))])
            producer.flush()
        return policy

    def set_share(self, alpha: float, expires_at: int | None, now: int) -> MixPolicySet:
        return steering.set_share(self.broker, CODEC, "p", alpha=alpha, expires_at=expires_at, reason="try", now=now)

    def accept(self, now: int) -> MixPolicySet:
        return steering.accept_reference(self.broker, CODEC, "p", reason="new plays", now=now)


def is_pinned(last: MixPolicySet | None) -> bool:
    return last is not None and last.set_by != AUTHOR and last.expires_at is None


def test_the_first_policy_says_all_that_is_decided_and_lasts_a_minute() -> None:
    policy = first(ALARMED)
    assert (policy.version, policy.event_id) == (0, event_id(MixPolicySet, 0))
    assert (policy.alpha, policy.weights, policy.held, policy.regenerate) == (0.05, {"a": 0.0}, HELD, ("a",))
    assert (policy.occurred_at, policy.expires_at, policy.set_by) == (NOW, NOW + 60_000, "monitor")
    assert (policy.reason, policy.inputs) == ("source a changed", {"evidence": 1e9, "decision": 3.0})


def test_the_policy_names_the_neglected_regions_as_soon_as_they_are_known_and_decides_nothing_by_it() -> None:
    last = first()
    told = written(last, replace(STEERING, neglected=(2, 5)), NOW + 1)
    assert told is not None
    assert (last.neglected, told.neglected) == ((), (2, 5))
    assert len(decisions([last, told])) == 1


def test_it_is_written_again_every_15_seconds_and_not_before_while_nothing_changes() -> None:
    last = first()
    for after in (0, 1, 1_000, 14_999):
        assert written(last, STEERING, NOW + after) is None
    for after in (15_001, 59_000, 60_000, 10**9):
        again = written(last, STEERING, NOW + after)
        assert again == replace(
            last,
            version=1,
            event_id=event_id(MixPolicySet, 1),
            occurred_at=NOW + after,
            expires_at=NOW + after + 60_000,
        )
    assert (LASTS_MS, RENEWED_MS) == (60_000, 15_000)


def test_one_that_is_not_renewed_has_expired_after_60_seconds() -> None:
    last = first()
    assert not has_expired(last, NOW + 59_999)
    assert has_expired(last, NOW + 60_000)


@given(st.lists(st.integers(0, 3_000), min_size=20, max_size=60))
def test_who_looks_often_enough_lets_none_expire_and_writes_no_more_than_every_15_seconds(steps: list[int]) -> None:
    last, now, versions = first(), NOW, []
    for step in steps:
        now += step
        assert not has_expired(last, now)
        policy = written(last, STEERING, now)
        if policy is not None:
            versions.append(policy.occurred_at)
            last = policy
    assert all(after - before >= 15_000 for before, after in zip([NOW, *versions], versions, strict=False))
    assert len(versions) >= (now - NOW) // 18_001


def test_after_an_alarm_the_next_policy_has_the_share_at_the_floor_though_the_last_lasts() -> None:
    policy = written(first(), ALARMED, NOW + 1)
    assert policy is not None
    assert (policy.alpha, policy.weights, policy.held, policy.version) == (0.05, {"a": 0.0}, HELD, 1)
    assert written(policy, ALARMED, NOW + 2) is None
    other = written(policy, deciding.on_probation(ALARMED, "a", NOW + 3, 500), NOW + 3)
    assert other is not None
    assert (other.weights, other.held, other.regenerate) == ({"a": 0.1}, HELD, ())


def test_what_was_planned_before_a_source_came_back_is_never_drawn_however_often_that_is_said() -> None:
    table, decisions, found = Table(), STEERING, []
    for turn in range(2):
        for what in ("alarm", "probation", "return"):
            decisions = decided(decisions, what, NOW + turn)
            table.look(decisions, NOW + turn)
        found.append(table.last)
    renewed = table.look(decisions, NOW + 50_000)
    first, second = found
    assert first is not None
    assert second is not None
    assert renewed is not None
    assert [each.planned_before for each in first.dropped] == [first.version] * 2
    assert [each.planned_before for each in second.dropped] == [first.version] * 2 + [second.version] * 2
    assert (renewed.dropped, renewed.version) == (second.dropped, second.version + 1)
    for offset, planned, never in (
        (59, second.version, True),
        (60, second.version - 1, True),
        (60, second.version, False),
    ):
        assert covered(renewed.dropped, "a", 0, offset, planned) == never


def test_after_an_alarm_it_is_at_the_floor_too_where_a_person_accepted_a_reference_a_second_before() -> None:
    table = Table()
    table.accept(NOW)
    policy = table.look(STEERING, NOW + 500)
    assert policy is not None
    assert (policy.alpha, policy.reference_version) == (0.3, 1)
    accepted = table.accept(NOW + 1_000)
    assert (accepted.alpha, accepted.reference_version) == (0.3, 2)
    alarmed = table.look(ALARMED, NOW + 2_000)
    assert alarmed is not None
    assert (alarmed.alpha, alarmed.weights, alarmed.held) == (0.05, {"a": 0.0}, HELD)
    assert (alarmed.reference_version, alarmed.reference_end) == (2, accepted.reference_end)
    assert (alarmed.set_by, alarmed.reason) == (AUTHOR, "source a changed")


def test_where_a_person_accepted_the_first_reference_the_share_is_the_monitors() -> None:
    table = Table()
    table.accept(NOW)
    policy = table.look(STEERING, NOW)
    assert policy is not None
    assert (policy.alpha, policy.set_by, policy.expires_at) == (0.3, AUTHOR, NOW + 60_000)


def test_what_a_person_pinned_stays_and_quarantine_acts_all_the_same() -> None:
    table = Table()
    table.look(STEERING, NOW)
    table.set_share(0.2, None, NOW + 1)
    assert is_pinned(table.last)
    policy = table.look(ALARMED, NOW + 2)
    assert policy is not None
    assert (policy.alpha, policy.expires_at, policy.reason) == (0.2, None, "try")
    assert policy.set_by != AUTHOR
    assert (policy.weights, policy.held, policy.regenerate) == ({"a": 0.0}, HELD, ("a",))
    assert is_pinned(policy)
    for after in (3, 20_000, 10**9):
        assert table.look(ALARMED, NOW + after) is None
    table.accept(NOW + 10**9)
    accepted = table.look(ALARMED, NOW + 10**9 + 1)
    assert accepted is not None
    assert (accepted.alpha, accepted.expires_at, accepted.held) == (0.2, None, HELD)
    assert not is_pinned(None)
    assert not is_pinned(first())


def test_what_a_person_set_for_a_while_holds_for_that_while_and_no_longer() -> None:
    table = Table()
    table.look(STEERING, NOW)
    table.set_share(0.1, NOW + 40_000, NOW + 1)
    assert not is_pinned(table.last)
    told = table.look(STEERING, NOW + 2)
    assert told is not None
    assert (told.alpha, told.expires_at, told.inputs) == (0.1, NOW + 40_000, {"hapax": 0.3, "decision": 2.0})
    assert table.look(STEERING, NOW + 39_999) is None
    policy = table.look(STEERING, NOW + 40_000)
    assert policy is not None
    assert (policy.alpha, policy.set_by, policy.expires_at) == (0.3, AUTHOR, NOW + 100_000)


def decided(decisions: Decisions, what: str, now: int) -> Decisions:
    """Return the decisions after an event, where it may happen."""
    phase = decisions.source("a").phase
    if what == "alarm":
        return deciding.alarmed(decisions, "a", ALARM, LIMITS)
    if what == "probation" and phase == "quarantined":
        return deciding.on_probation(decisions, "a", now, 0)
    if what == "return" and phase == "probation":
        return deciding.returned(decisions, "a", now, {0: 60, 1: 10})
    if what == "measure":
        return deciding.measured(decisions, decisions.control.window + 1, 0.0, LIMITS, {"types": 0.0})
    return decisions


told = st.sampled_from(["look", "pin", "lend", "accept", "alarm", "probation", "return", "measure"])


@given(st.lists(st.tuples(told, st.integers(1, 40_000)), max_size=25))
def test_whoever_writes_the_newest_policy_says_what_is_decided_and_what_a_person_set(
    story: Sequence[tuple[str, int]],
) -> None:
    table, decisions, now = Table(), STEERING, NOW
    persons: tuple[float, int | None] | None = None
    table.look(decisions, now)
    for what, later in story:
        now += later
        decisions = decided(decisions, what, now)
        if what in ("pin", "lend"):
            persons = (0.25, None) if what == "pin" else (0.15, now + 2 * later)
            table.set_share(*persons, now)
        elif persons is not None and persons[1] is not None and persons[1] <= now:
            persons = None
        if what == "accept":
            table.accept(now)
        check(table, decisions, persons, now)


def check(table: Table, decisions: Decisions, persons: tuple[float, int | None] | None, now: int) -> None:
    """Look once, and hold the newest policy to the decisions and to what a person set."""
    before = table.last
    policy = table.look(decisions, now)
    assert table.look(decisions, now) is None, "once is enough"
    last = table.last
    assert before is not None
    assert last is not None
    assert last.version == before.version + (policy is not None)
    assert (last.alpha, last.expires_at) == (persons or (decisions.control.alpha, last.expires_at))
    assert not has_expired(last, now)
    assert (last.set_by == AUTHOR) == (persons is None)
    assert last.weights == deciding.weights(decisions)
    ranges = (deciding.held(decisions), decisions.dropped, decisions.regenerate)
    dropped = tuple(replace(each, planned_before=-1) for each in last.dropped)
    assert (last.held, dropped, last.regenerate) == ranges
    assert last.dropped[: len(before.dropped)] == before.dropped
    assert {each.planned_before for each in last.dropped[len(before.dropped) :]} <= {last.version}
    if decisions.source("a").phase != "healthy":
        assert covered(last.held, "a", 0, 10**6)
