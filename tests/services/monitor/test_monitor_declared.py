"""Another model under an old name is admitted anew."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from monitor_world import SETTING, core

from services.monitor import control
from services.monitor import decisions as deciding
from services.monitor import group as grouping
from services.monitor.change import ADMISSION, Change, baseline_of, fresh
from services.monitor.control import Limits
from services.monitor.core import declare
from services.monitor.decisions import Decisions
from services.monitor.keeper import Keeper
from services.monitor.state import State
from services.recipe import Source, parse
from services.stage import Context
from streams.broker import Record
from streams.codec import Codec
from streams.memory import MemoryBroker
from streams.metrics import Metrics
from streams.topics import ensure

LIMITS = Limits(0.05, 0.3)


def source(**other: Any) -> Source:
    return Source.model_validate({"name": "a", "provider": "local", "family": "f", **other})


def known() -> State:
    start = Decisions(control=control.start(LIMITS))
    decided = deciding.admitted(start, "a", 0, refused_for=None)
    scores = np.zeros((ADMISSION, 4), np.float32)
    change = Change(scores=scores, log_m=fresh(4).log_m, baseline=baseline_of(scores), tested=500)
    made = grouping.fresh(4, 2)
    groups = {name: replace(made, change=change) for name in ("generate/text/a", "generate/text/b")}
    return declare(State(decisions=decided, groups=groups), {"a": source().declared})


def test_the_same_model_keeps_its_baseline() -> None:
    again = declare(known(), {"a": source(weight=2.0, documents_per_second=7).declared})
    assert again.decisions.source("a").phase == "healthy"
    assert again.groups["generate/text/a"].change.admitted


def test_another_model_needs_a_new_one_and_the_others_keep_theirs() -> None:
    again = declare(known(), {"a": source(model="newer").declared, "b": source(name="b").declared})
    assert again.decisions.source("a").phase == "admitting"
    assert not again.groups["generate/text/a"].change.admitted
    assert again.groups["generate/text/b"].change.admitted
    assert deciding.from_bytes(deciding.to_bytes(again.decisions)) == again.decisions


def test_under_another_reference_the_share_follows_windows_from_the_first_on() -> None:
    known_by = deciding.renumbered(known().decisions, 1)
    steered = deciding.measured(known_by, 500, 0.0, LIMITS, {})
    assert deciding.measured(deciding.renumbered(steered, 1), 100, 0.0, LIMITS, {}) == steered
    again = deciding.measured(deciding.renumbered(steered, 2), 100, 0.0, LIMITS, {})
    assert (again.control.window, again.control.alpha > steered.control.alpha) == (100, True)


def test_a_baseline_that_is_given_up_stays_so_though_nothing_comes_before_the_next_restart() -> None:
    def keeper(records: dict[str, bytes], model: str) -> Keeper:
        broker = MemoryBroker()
        ensure(broker, "p")
        plan = {
            "pipeline": "p",
            "seeds": {"path": "x", "licence": "cc0"},
            "generate": {"target": 1},
            "sources": [{"name": "a", "provider": "local", "family": "f", "model": model}],
        }
        made = Context(
            recipe=parse(plan, "test"),
            broker=broker,
            codec=Codec(),
            slot=0,
            now=lambda: 0,
            metrics=Metrics(),
            spools=Path("/nonexistent"),
        )
        held = Keeper(made, core(), SETTING, Decisions(control=control.start(LIMITS)))
        held.fold([Record("p.state", 0, at, key.encode(), value, 0) for at, (key, value) in enumerate(records.items())])
        held.restore()
        return held

    first = keeper({}, "old")
    first.state = replace(first.state, groups=known().groups)
    stored = first.records(first.state, frozenset(first.state.groups))
    assert keeper(stored, "old").state.groups["generate/text/a"].change.admitted
    second = keeper(stored, "new")
    assert not second.state.groups["generate/text/a"].change.admitted
    again = {**stored, **second.records(second.state, frozenset())}  # it is killed once it has stored, whatever came
    assert not keeper(again, "new").state.groups["generate/text/a"].change.admitted
    assert keeper(again, "new").state.groups["generate/text/b"].change.admitted
