"""The monitor's metrics: what was measured last, and what is decided."""

from collections.abc import Mapping, Sequence
from math import log

from services.monitor import decisions as deciding
from services.monitor.state import State
from streams.events import CollapseMeasured
from streams.metrics import Metrics

STATES = ("admitting", "steering", "dwelling")


def export_measured(metrics: Metrics, measured: Sequence[CollapseMeasured]) -> None:
    """Set the statistics of windows, and count alarms."""
    for each in measured:
        if each.alarm is not None:
            metrics.count("alarms", 1, each.group, each.alarm, each.alarm_kind)
        if each.alarm is not None and each.alarm_kind != "verification_narrows":
            continue  # of a cell, not of a window
        for found in each.statistics:
            if found.name == "heaps_types":
                metrics.set("vocabulary_types", found.value, each.group)
            elif found.name == "heaps_beta":
                metrics.set("vocabulary_growth_beta", found.value, each.group)
            elif found.name != "heaps_words":
                metrics.set("statistic", found.value, found.name, each.group, "value")
                if found.null_median is not None:
                    metrics.set("statistic", found.null_median, found.name, each.group, "null")
                if found.excess is not None:
                    metrics.set("statistic", found.excess, found.name, each.group, "excess")


def export_state(metrics: Metrics, state: State, weights: Mapping[str, float]) -> None:
    """Set what is decided; `weights` are the recipe's."""
    for name, group in state.groups.items():
        if group.change.is_testing:
            metrics.set("alarm_evidence", log(max(group.change.evidence()[0], 1e-300)), name)
    factors = deciding.weights(state.decisions)
    for source in {**weights, **factors}:
        metrics.set("source_weight", weights.get(source, 1.0) * factors.get(source, 1.0), source)
    now = collapse_state(state)
    for each in STATES:
        metrics.set("collapse_state", float(each == now), each)


def collapse_state(state: State) -> str:
    """Return `admitting` until a source is healthy, then what the control of the share does."""
    healthy = any(source.phase == "healthy" for source in state.decisions.sources.values())
    return state.decisions.control.phase if healthy else "admitting"
