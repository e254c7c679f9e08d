"""The live view of a pipeline at work: what each stage has done, how fast, and whether the cap holds."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from services.books.tally import Counts
from services.show.story import Plot
from services.supervise.running import Running

_WINDOW_SECONDS = 3.0
_BAR = 24
_REASONS_SHOWN = 4
_MOMENTS_SHOWN = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Everything the view shows; `rates` are records a second by stage, `cap` is the recipe's (0 to 1).

    `began` is in UTC milliseconds.
    """

    pipeline: str
    bootstrap: str
    elapsed: float
    began: int
    counts: Counts
    states: Mapping[str, str]
    rates: Mapping[str, float]
    plot: Plot
    cap: float
    trained: int

    @property
    def share(self) -> float:
        """Synthetic share of everything mixed so far."""
        mixed = self.counts.mixed_synthetic + self.counts.mixed_real
        return self.counts.mixed_synthetic / mixed if mixed else 0.0


class Rates:
    """Records a second over the last few seconds."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, Mapping[str, int]]] = deque()

    def update(self, now: float, done: Mapping[str, int]) -> Mapping[str, float]:
        """Take what is done by now (seconds of a monotonic clock) and return the rates."""
        self._seen.append((now, done))
        while len(self._seen) > 1 and now - self._seen[1][0] >= _WINDOW_SECONDS:
            self._seen.popleft()
        then, before = self._seen[0]
        seconds = now - then
        return {stage: (count - before.get(stage, 0)) / seconds if seconds else 0.0 for stage, count in done.items()}


def done(counts: Counts, plot: Plot, trained: int) -> dict[str, int]:
    """Return how many records each stage has made, in the order of flow; `trained` is in batches."""
    mixed = counts.mixed_real + counts.mixed_synthetic
    return {
        "ingest": counts.seed + counts.reference + counts.holdout,
        "generate": counts.candidates,
        "verify": counts.accepted - counts.edited + counts.rejected + counts.waiting_review + counts.dead,
        "review": 0,
        "mix": mixed,
        "sketch": plot.sketched,
        "monitor": plot.measured,
        "trainer": mixed * min(trained, counts.batches) // counts.batches if counts.batches else 0,
    }


def states(running: Running | None) -> dict[str, str]:
    """Return the state of each stage, with its restarts where there were any."""
    found: dict[str, str] = {}
    for slot in running.stages if running else ():
        told = slot.state if not slot.restarts else f"{slot.state} ({slot.restarts} restarts)"
        if found.get(slot.stage, "running") == "running":
            found[slot.stage] = told
    return found


def render(snapshot: Snapshot) -> RenderableType:
    """Return the view; it fits 80 columns."""
    counts = snapshot.counts
    title = Text.assemble(
        ("Ballast", "bold"), f"  pipeline {snapshot.pipeline}, {snapshot.elapsed:.0f} s, Kafka at {snapshot.bootstrap}"
    )
    parts = (_stages(snapshot), _bars(snapshot), _rejections(counts), _moments(snapshot))
    return Group(title, *(each for part in parts for each in (Text(), part)))


def line(snapshot: Snapshot) -> str:
    """Return the view in one line, for where there is no terminal."""
    counts = snapshot.counts
    return (
        f"{snapshot.elapsed:4.0f} s  human {counts.seed + counts.reference + counts.holdout:,}, "
        f"generated {counts.candidates:,}, accepted {counts.accepted:,}, "
        f"rejected {counts.rejected:,}, batches {counts.batches:,}, trained {snapshot.trained:,}, "
        f"share allowed {snapshot.plot.alpha:.2f} of {snapshot.cap:g}{_newest(snapshot.plot)}"
    )


def _newest(plot: Plot) -> str:
    return f"; {plot.moments[-1].told}" if plot.moments else ""


def _stages(snapshot: Snapshot) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", expand=False)
    for column in ("stage", "state"):
        table.add_column(column, no_wrap=True)
    for column in ("records", "per s"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("")
    told = _told(snapshot)
    for stage, count in done(snapshot.counts, snapshot.plot, snapshot.trained).items():
        state = snapshot.states.get(stage, "starting")
        style = "green" if state == "running" else "yellow"
        rate = snapshot.rates.get(stage, 0.0)
        speed = f"{rate:,.0f}" if rate >= 1 else ""
        table.add_row(stage, Text(state, style=style), f"{count:,}" if count else "", speed, told[stage])
    return table


def _told(snapshot: Snapshot) -> dict[str, str]:
    counts = snapshot.counts
    return {
        "ingest": f"seed {counts.seed:,}, reference {counts.reference:,}, holdout {counts.holdout:,}",
        "generate": f"{counts.in_flight:,} in flight",
        "verify": f"accepted {counts.accepted:,}, rejected {counts.rejected:,}",
        "review": f"{counts.waiting_review:,} wait for a person" if counts.waiting_review else "nothing waits",
        "mix": f"{counts.batches:,} batches, real {counts.mixed_real:,}, synthetic {counts.mixed_synthetic:,}",
        "sketch": "every sample as numbers",
        "monitor": f"{snapshot.plot.measured:,} windows measured",
        "trainer": f"{snapshot.trained:,} batches read",
    }


def _bars(snapshot: Snapshot) -> Table:
    counts, share, cap = snapshot.counts, snapshot.share, snapshot.cap
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(width=_BAR)
    table.add_column(no_wrap=True)
    over = share > cap or counts.largest_share > cap
    style = "red" if over else "bar.complete"
    allowed = ProgressBar(total=max(cap, 1e-9), completed=min(snapshot.plot.alpha, cap), width=_BAR)
    table.add_row("share allowed", allowed, f"{snapshot.plot.alpha:.3f} of {cap:g}")
    reached = ProgressBar(total=max(cap, 1e-9), completed=min(share, cap), width=_BAR, complete_style=style)
    table.add_row("synthetic share", reached, f"{share:.3f} of {cap:g}, largest batch {counts.largest_share:.3f}")
    return table


def _moments(snapshot: Snapshot) -> Table:
    """Return what happened last, the newest below."""
    began = snapshot.began
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(justify="right", no_wrap=True)
    table.add_column()
    for moment in snapshot.plot.moments[-_MOMENTS_SHOWN:]:
        style = "bold red" if moment.told.startswith(("alarm", "source")) and "changed" in moment.told else ""
        table.add_row(f"{(moment.at - began) / 1000:.0f} s", Text(moment.told, style=style))
    return table


def _rejections(counts: Counts) -> Text:
    if not counts.reasons:
        return Text("rejections: none", style="dim")
    ordered = sorted(counts.reasons.items(), key=lambda item: -item[1])
    more = sum(count for _, count in ordered[_REASONS_SHOWN:])
    told = ", ".join(f"{reason} {count:,}" for reason, count in ordered[:_REASONS_SHOWN])
    return Text(f"rejections: {told}" + (f", other {more:,}" if more else ""))
