"""A person's word about a source that the monitor has put out, through the log."""

from pathlib import Path
from typing import Any

from services.monitor import control
from services.monitor import decisions as deciding
from services.monitor.control import Limits
from services.monitor.decisions import Alarm, Decisions
from services.monitor.state import State
from services.monitor.steward import Steward
from services.recipe import parse
from services.stage import Context
from services.steering import history, release_source
from streams.codec import Codec
from streams.events import MixPolicySet
from streams.memory import MemoryBroker
from streams.metrics import Metrics
from streams.topics import ensure

CODEC = Codec()
LIMITS = Limits(0.05, 0.3)
PLAN: dict[str, Any] = {
    "pipeline": "p",
    "seeds": {"path": "x", "licence": "cc0"},
    "generate": {"target": 1},
    "sources": [{"name": name, "provider": "local", "family": name} for name in "ab"],
}


def world(now: list[int]) -> tuple[MemoryBroker, Steward]:
    broker = MemoryBroker()
    ensure(broker, "p")
    steward = Steward(
        Context(
            recipe=parse(PLAN, "test"),
            broker=broker,
            codec=CODEC,
            slot=0,
            now=lambda: now[0],
            metrics=Metrics(),
            spools=Path("/nonexistent"),
        )
    )
    steward.start()
    return broker, steward


def quarantined() -> State:
    start = Decisions(control=control.start(LIMITS))
    admitted = deciding.admitted(deciding.admitted(start, "a", 0, refused_for=None), "b", 0, refused_for=None)
    alarm = Alarm(at=1_000, held={0: 7, 1: 9}, reason="source a changed", inputs={})
    return State(decisions=deciding.alarmed(admitted, "a", alarm, LIMITS))


def last(broker: MemoryBroker) -> MixPolicySet:
    return history(broker, CODEC, "p")[-1]


def test_a_released_source_has_its_weight_and_its_samples_back() -> None:
    now = [1_000]
    broker, steward = world(now)
    state = steward.tend(quarantined())
    assert (last(broker).weights, len(last(broker).held)) == ({"a": 0.0}, 2)
    release_source(broker, CODEC, "p", source="a", reason="false alarm", now=2_000)
    state = steward.tend(state)
    assert state.decisions.source("a").phase == "healthy"
    assert (last(broker).weights, last(broker).held, last(broker).dropped) == ({}, (), ())
    assert last(broker).alpha == 0.05  # the share comes back by windows, not by a word


def test_the_monitors_own_policies_release_nobody() -> None:
    now = [1_000]
    broker, steward = world(now)
    state = steward.tend(quarantined())
    for _ in range(5):
        now[0] += 20_000
        state = steward.tend(state)
    assert state.decisions.source("a").phase == "quarantined"
    now[0] += 3_600_000
    state = steward.tend(state)
    assert (state.decisions.source("a").phase, last(broker).weights) == ("probation", {"a": 0.1})
    assert steward.tend(state).decisions.source("a").phase == "probation"
    assert len(last(broker).held) == 2


def test_while_an_evaluation_shows_a_collapse_nothing_synthetic_is_allowed() -> None:
    from dataclasses import replace

    from streams.broker import Outgoing
    from streams.events import EvaluationCompleted

    now = [1_000]
    broker, steward = world(now)
    run = EvaluationCompleted(
        event_id="1",
        occurred_at=0,
        run_id="0-9",
        cycle=1,
        model_id="m",
        set_name="holdout",
        loss=3.0,
        documents=9,
        verdict="collapse",
    )

    def write(event: EvaluationCompleted) -> None:
        producer = broker.producer()
        producer.send([Outgoing("p.evaluate", event.run_id.encode(), CODEC.encode(event))])
        producer.flush()

    write(run)
    state = steward.tend(quarantined())
    assert (last(broker).alpha, "0-9" in last(broker).reason) == (0.0, True)
    write(replace(run, event_id="2", run_id="9-19", verdict="none"))  # a trainer's own report judges nothing
    steward.tend(state)
    assert last(broker).alpha == 0.0
    write(replace(run, event_id="3", run_id="9-19", verdict="steady"))
    steward.tend(state)
    assert last(broker).alpha == 0.05
