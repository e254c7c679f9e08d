"""The first reference and the policies of several monitors: accepted once, and nothing newer is overwritten."""

import threading
from collections.abc import Callable
from dataclasses import replace

import engine_world as world
import pytest
from engine_world import CODEC
from made_up import NOW, samples

from services.monitor import decisions as deciding
from services.monitor.first_reference import accept_first
from services.monitor.policy import LASTS_MS
from services.monitor.state import State
from services.monitor.steward import Steward
from services.policy import Policies, allowed_share
from services.stage import Context
from services.steering import history
from streams.broker import Broker, Outgoing
from streams.events import SampleIngested
from streams.memory import MemoryBroker
from streams.topics import ensure, name

Unique = Callable[[str], str]


def put_reference(broker: Broker, pipeline: str, count: int = 320) -> None:
    producer = broker.producer()
    for one in samples("reference", count):
        event = SampleIngested(event_id=one.sample_id, occurred_at=NOW, pool="reference", part="fit", sample=one)
        producer.send([Outgoing(name(pipeline, "reference"), one.sample_id.encode(), CODEC.encode(event))])
    producer.flush()


def at(context: Context, now: int) -> Context:
    return replace(context, now=lambda: now)


@pytest.mark.parametrize(("documents", "still", "accepted"), [(320, 5_001, 1), (320, 4_000, 0), (200, 60_000, 0)])
def test_the_first_reference_is_accepted_once_it_has_been_still(documents: int, still: int, accepted: int) -> None:
    broker = MemoryBroker()
    ensure(broker, "p")
    put_reference(broker, "p", documents)
    newest = max(record.timestamp for record in world.read(broker, "p", "reference"))
    assert accept_first(at(world.context(broker, "p"), newest + still)) == bool(accepted)
    assert [each.reference_version for each in history(broker, CODEC, "p")] == [1] * accepted


def test_two_monitors_that_start_at_once_accept_one_reference(bootstrap: str, unique: Unique) -> None:
    pipeline = unique("first")
    broker = world.made(bootstrap, pipeline)
    put_reference(broker, pipeline)
    told: list[bool] = []
    start = threading.Barrier(3)

    def monitor() -> None:
        parts = at(world.context(world.made(bootstrap, pipeline), pipeline), 1 << 42)
        start.wait()
        told.extend(accept_first(parts) for _ in range(2))

    threads = [threading.Thread(target=monitor) for _ in range(3)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(told) == 6
    assert told.count(True) == 1
    assert [each.reference_version for each in history(broker, CODEC, pipeline)] == [1]


def test_a_monitor_that_was_away_overwrites_no_newer_decision() -> None:
    broker = MemoryBroker()
    ensure(broker, "p")
    now = [NOW]
    parts = replace(world.context(broker, "p"), now=lambda: now[0])
    old = State(decisions=deciding.admitted(world.START, "tri", NOW, refused_for=None))
    alarm = deciding.Alarm(at=NOW, held={0: 5}, reason="it changed", inputs={})
    new = replace(old, decisions=deciding.alarmed(old.decisions, "tri", alarm, world.LIMITS))
    away, active = Steward(parts), Steward(parts)
    for each in (away, active):
        each.start()
    away.tend(old)
    active.tend(new)
    held = history(broker, CODEC, "p")[-1]
    assert held.weights == {"tri": 0.0}
    now[0] += LASTS_MS - 1
    away.tend(old)
    assert history(broker, CODEC, "p")[-1] == held
    active.tend(new)
    assert history(broker, CODEC, "p")[-1].weights == {"tri": 0.0}
    now[0] += LASTS_MS  # nobody renews it: the state that it followed from is lost
    away.tend(old)
    assert history(broker, CODEC, "p")[-1].weights == {}


def test_what_a_monitor_that_has_not_read_on_writes_is_no_new_version() -> None:
    policies = Policies(CODEC)
    broker = MemoryBroker()
    ensure(broker, "p")
    parts = replace(world.context(broker, "p"), now=lambda: NOW)
    old = State(decisions=deciding.admitted(world.START, "tri", NOW, refused_for=None))
    alarm = deciding.Alarm(at=NOW, held={0: 5}, reason="it changed", inputs={})
    new = replace(old, decisions=deciding.alarmed(old.decisions, "tri", alarm, world.LIMITS))
    away, active = Steward(parts), Steward(parts)
    for each in (away, active):
        each.start()
    away.look = lambda *_: None  # type: ignore[method-assign, assignment]
    active.tend(new)
    away.tend(old)
    policies.fold(world.read(broker, "p", "policy"))
    assert policies.latest is not None
    assert policies.latest.weights == {"tri": 0.0}


def test_a_policy_is_renewed_long_before_it_expires_and_without_a_monitor_it_allows_nothing() -> None:
    broker = MemoryBroker()
    ensure(broker, "p")
    now = [NOW]
    steward = Steward(replace(world.context(broker, "p"), now=lambda: now[0]))
    steward.start()
    state = State(decisions=world.START)
    for _ in range(61):
        steward.tend(state)
        now[0] += 1_000
    steward.close()
    policies = Policies(CODEC)
    policies.fold(world.read(broker, "p", "policy"))
    assert len(world.read(broker, "p", "policy")) == 4
    assert allowed_share(0.3, policies.in_force(now[0])) == world.LIMITS.floor
    assert allowed_share(0.3, policies.in_force(now[0] + LASTS_MS)) == 0.0
