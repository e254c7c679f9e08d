"""The synthetic share over time: what each batch had, what it was allowed, and when alarms and decisions came."""

from collections.abc import Sequence
from itertools import pairwise

from services.groups import parsed
from services.policy import Decision, allowed_share, decisions
from services.report import figures
from services.report.chart import Axis, Chart, Line, Mark, Point
from services.report.curves import called
from services.report.figures import percent
from services.report.log import Log
from services.report.scale import clock, clocked, time_ticks
from streams.events import MixPolicySet

_MARKS = 40  # more hide the curve


def chart(log: Log, recipe_cap: float) -> Chart:
    """Return the chart of share and cap over time."""
    cap = caps(log.policies, recipe_cap, until=latest(log))
    reached = [
        Point(
            batch.made_at,
            batch.share,
            f"batch {batch.number:,}: {batch.synthetic:,} of {batch.size:,} synthetic, {percent(batch.share)} "
            f"(at most {percent(batch.cap)}), {figures.time(batch.made_at)}",
        )
        for batch in log.batches
    ]
    begin = min((point.x for point in (*cap, *reached)), default=0)
    form = clock(begin, latest(log))
    return Chart(
        title="Synthetic share over time",
        description="The synthetic share of each batch and the largest share allowed, with alarms and decisions.",
        lines=[
            Line("cap", "cap", cap, stepped=True),
            Line("share", "share", reached),
        ],
        across=Axis("time (UTC)", lambda value: clocked(value, form), time_ticks),
        up=Axis("synthetic share of a batch", percent, zero=True),
        marks=[*_alarms(log), *_changes(decisions(log.policies))][-_MARKS:],
    )


def caps(policies: Sequence[MixPolicySet], recipe_cap: float, until: int) -> list[Point]:
    """Return the largest share allowed from each moment on; it falls to 0 where a policy expires before the next."""
    points = []
    following = [policy.occurred_at for policy in policies[1:]]
    for policy, end in zip(policies, [*following, until], strict=True):
        share = allowed_share(recipe_cap, policy)
        points.append(_capped(policy.occurred_at, share))
        if policy.expires_at is not None and policy.expires_at < end:
            points.append(_capped(policy.expires_at, 0.0))
    if points:
        points.append(points[-1]._replace(x=max(until, int(points[-1].x))))
    kept = [after for before, after in pairwise(points) if after.y != before.y]
    return [*points[:1], *kept, *points[-1:]]


def latest(log: Log) -> int:
    """Return when the newest event happened, in UTC milliseconds."""
    times = [log.policies[-1].occurred_at if log.policies else 0, log.batches[-1].made_at if log.batches else 0]
    return max(*times, max((each.occurred_at for each in log.measures), default=0))


def _capped(at: int, share: float) -> Point:
    return Point(at, share, f"at most {percent(share)} from {figures.time(at)}")


def _alarms(log: Log) -> list[Mark]:
    return [
        Mark(
            each.occurred_at,
            "alarm",
            f"alarm: {parsed(each.group).source}",
            f"Alarm: {called(parsed(each.group), tasks=True, word=True)}, {each.alarm}, window {each.window}, "
            f"{figures.time(each.occurred_at)}",
        )
        for each in log.alarms
    ]


def _changes(found: Sequence[Decision]) -> list[Mark]:
    return [
        Mark(each.made.occurred_at, "decision", "", f"Policy {each.made.version}, share at most "
             f"{percent(each.made.alpha)}, by {each.made.set_by}: {each.made.reason}")
        for each in found
    ]  # fmt: skip
