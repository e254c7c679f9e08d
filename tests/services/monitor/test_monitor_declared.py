"""Another model under an old name is admitted anew."""

from dataclasses import replace
from typing import Any

import numpy as np

from services.monitor import control
from services.monitor import decisions as deciding
from services.monitor import group as grouping
from services.monitor.change import ADMISSION, Change, baseline_of, fresh
from services.monitor.control import Limits
from services.monitor.core import State, declare
from services.monitor.decisions import Decisions
from services.recipe import Source

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
