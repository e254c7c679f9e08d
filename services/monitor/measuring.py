"""What is written about a group: its windows with their nulls, its alarms, and whether verification narrows it."""

from collections.abc import Mapping
from math import log

from services.artefact import SCORES
from services.monitor import control
from services.monitor.group import Group
from services.monitor.yardstick import Null
from streams.events import CollapseMeasured, event_id
from streams.parts import Statistic

_LOSS = 0.05  # of a tail statistic, by verification, beyond what chance does
_NARROW_WINDOWS = 2  # in a row
_TAIL = ("types", "hapax", "good_turing", "distinct_2", "distinct_3")


def statistics(values: Mapping[str, float], nulls: Mapping[str, Null], evidence: float | None) -> tuple[Statistic, ...]:
    """Return the values with their nulls; the evidence, as odds, goes with the first as its logarithm."""
    found = []
    for name, value in values.items():
        null = nulls.get(name)
        median, halfwidth = (null.median, null.halfwidth) if null else (None, None)
        excess = control.excess(value, median, halfwidth, name)
        found.append(
            Statistic(
                name=name,
                value=value,
                null_median=median,
                null_halfwidth=halfwidth,
                excess=excess,
                evidence=None if evidence is None else log(max(evidence, 1e-300)),
            )
        )
    return tuple(found)


def tail_excess(measured: tuple[Statistic, ...]) -> float | None:
    """Return the largest excess of the tail statistics that have a null; None if there is none, or one has no excess.

    A reference of few documents has no null of novelty: they all go into its memory.
    """
    found = [each.excess for each in measured if each.name in control.TAIL and each.null_median is not None]
    sound = [each for each in found if each is not None]
    return max(sound) if sound and len(sound) == len(found) else None


def narrowed_by(verified: Mapping[str, float], generated: Mapping[str, float], nulls: Mapping[str, Null]) -> str | None:
    """Return the tail statistic of which verification loses most, if that is more than 5 % beyond chance."""
    losses = {}
    for name in _TAIL:
        if name in nulls and generated.get(name) and name in verified:
            chance = 2**0.5 * nulls[name].halfwidth / nulls[name].median if nulls[name].median else 1.0
            losses[name] = 1 - verified[name] / generated[name] - chance
    worst = max(losses, key=lambda name: losses[name], default=None)
    return worst if worst is not None and losses[worst] > _LOSS else None


def narrows(group: Group) -> bool:
    """Tell whether verification has just narrowed enough windows in a row to say so."""
    return group.narrow == _NARROW_WINDOWS


def alarm(name: str, group: Group, shifts: Mapping[str, float], evidence: float, strongest: int) -> CollapseMeasured:
    """Return the event of an alarm: by how many deviations each score's mean is off in the newest cell."""
    found = tuple(Statistic(name=score, value=shifts[score], evidence=log(evidence)) for score in SCORES)
    return CollapseMeasured(
        event_id=event_id(CollapseMeasured, name, "alarm", group.change.tested),
        occurred_at=0,
        group=name,
        window=group.windows.window,
        documents=len(group.change.suspects),
        last_offset=0,
        statistics=found,
        alarm=SCORES[strongest],
    )
