"""What is written about a group: its windows with their nulls, its alarms, and whether verification narrows it."""

from collections.abc import Mapping
from math import log

import numpy as np
from numpy.typing import NDArray

from services.artefact import SCORES
from services.monitor import control
from services.monitor.group import Group, Rejected
from services.monitor.yardstick import Null
from streams.events import CollapseMeasured, event_id
from streams.parts import Statistic
from streams.stats.documents import Documents

_Z = 1.96
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


def costliest(rejected: Mapping[str, Rejected], generated: float) -> str | None:
    """Return the check that takes most of the tail: whose rejections have most surprisal beyond what is generated.

    `generated` is the mean surprisal, in bits a word. None if no check rejects what is rarer than the rest.
    """
    costs = {check: each.surprisal - each.documents * generated for check, each in rejected.items()}
    worst = max(costs, key=lambda check: costs[check], default=None)
    return worst if worst is not None and costs[worst] > 0 else None


def rejected_shares(rejected: Mapping[str, Rejected], accepted: int) -> dict[str, float]:
    """Return for each check the share that it has rejected of all that is decided on."""
    whole = accepted + sum(each.documents for each in rejected.values())
    return {f"rejected_{check}": each.documents / whole for check, each in sorted(rejected.items())}


def narrows(group: Group) -> bool:
    """Tell whether verification has just narrowed enough windows in a row to say so."""
    return group.narrow == _NARROW_WINDOWS


def alarm(
    name: str, group: Group, baseline: NDArray[np.float32], cell: Documents, found: tuple[float, int]
) -> CollapseMeasured:
    """Return the event of an alarm: the means of the newest cell's scores, each beside the (n, k) baseline's.

    `found` is the evidence, as odds, and the place of the statistic that has most of it.
    """
    evidence, strongest = found
    scores = baseline.astype(np.float64)
    means, middles = cell.scores.mean(axis=0, dtype=np.float64), scores.mean(axis=0)
    halfwidths = _Z * scores.std(axis=0) / len(cell.keys) ** 0.5
    shown = tuple(
        Statistic(name=score, value=value, null_median=middle, null_halfwidth=halfwidth, evidence=log(evidence))
        for score, value, middle, halfwidth in zip(
            SCORES, means.tolist(), middles.tolist(), halfwidths.tolist(), strict=True
        )
    )
    return CollapseMeasured(
        event_id=event_id(CollapseMeasured, name, "alarm", group.change.tested),
        occurred_at=0,
        group=name,
        window=group.windows.window,
        documents=len(group.change.suspects),
        last_offset=0,
        statistics=shown,
        alarm=SCORES[strongest],
    )
