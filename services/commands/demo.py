"""demo: the whole pipeline at work, from nothing to mixed batches."""

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.live import Live

from services import settings
from services.commands.look import verdict
from services.commands.output import note, say, table
from services.commands.progress import fetching
from services.show import demo as demonstration
from services.show import view
from services.show.demo import Outcome, Show
from services.show.planted import EACH, KINDS
from services.show.story import verdict as verdict_of
from services.show.view import Snapshot
from services.supervise.session import Chosen

_LINE_SECONDS = 3.0
_BAD = EACH * KINDS


def demo(
    keep: Annotated[bool, typer.Option("--keep", help="Leave broker, stages and log until `ballast down`.")] = False,
) -> None:
    """Show a pipeline at work on real text, one of whose models begins to feed on itself.

    Starts a real Kafka broker and every stage as a process of its own, takes in 38 plays of Shakespeare, lets three
    small language models write, plants some bad candidates, verifies, and mixes batches whose synthetic share is at
    most 0.3 (a ratio of 0.43). Then one model is retrained on its own output: the monitor finds it and acts. It needs
    no key and no network once its parts are there. Exit code 1 if the audit at its end finds a fault.
    """
    with _place(keep=keep) as what:
        note("Starting a Kafka broker and every stage")
        with fetching() as progress, _shown() as show:
            outcome = demonstration.run(what, keep=keep, show=show, fetching=progress)
        _report(outcome)
        if keep:
            _next_steps(what, outcome)
    if outcome.faults:
        raise typer.Exit(1)


@contextmanager
def _place(*, keep: bool) -> Iterator[Chosen]:
    """Yield where the demonstration lives: among the other pipelines, or in a folder that goes with it."""
    where = settings.read()
    if keep:
        yield demonstration.chosen("demo", where)
        return
    name = f"demo-{os.getpid()}"
    home = Path(tempfile.mkdtemp(prefix="ballast-demo-"))
    try:
        yield demonstration.chosen(name, where.model_copy(update={"home": home}))
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def _shown() -> Iterator[Show]:
    """Yield what shows snapshots: a live view on a terminal, else a line every few seconds."""
    if sys.stderr.isatty():
        with Live(console=Console(stderr=True), auto_refresh=False) as live:
            yield lambda snapshot: live.update(view.render(snapshot), refresh=True)
        return
    last = float("-inf")

    def show(snapshot: Snapshot) -> None:
        nonlocal last
        if time.monotonic() - last >= _LINE_SECONDS or demonstration.is_finished(snapshot):
            last = time.monotonic()
            print(view.line(snapshot), file=sys.stderr, flush=True)

    yield show


def _report(outcome: Outcome) -> None:
    last, counts = outcome.last, outcome.last.counts
    human = counts.seed + counts.reference + counts.holdout
    rejected = ", ".join(f"{reason} {count:,}" for reason, count in counts.reasons.items()) or "none"
    ratio = last.share / (1 - last.share)
    rows = [
        ("human documents", f"{human:,} (to train {counts.seed:,}, to compare with {human - counts.seed:,})"),
        ("candidates", f"{counts.candidates - _BAD:,} of three model families, {_BAD} bad ones planted"),
        *verdict_of(outcome.plot, demonstration.VICTIM, outcome.began).items(),
        ("accepted", f"{counts.accepted:,}; {counts.waiting_review:,} more wait for a person"),
        ("rejected", rejected),
        ("batches", f"{counts.batches:,} with {counts.mixed_real:,} real and {counts.mixed_synthetic:,} synthetic"),
        ("synthetic share", f"{last.share:.3f} (ratio {ratio:.2f}); largest batch {counts.largest_share:.3f}"),
        ("its cap", f"{last.cap:g} (ratio {last.cap / (1 - last.cap):.2f}), kept in every batch"),
        ("trainer", f"{last.trained:,} batches read"),
        ("time", f"{last.elapsed:.0f} s"),
    ]
    table("What the demo did", ["", ""], rows)
    verdict(last.pipeline, outcome.faults)


def _next_steps(what: Chosen, outcome: Outcome) -> None:
    say(f"Pipeline demo stays up; Kafka is at {outcome.last.bootstrap}, logs lie in {what.folder / 'logs'}.")
    for command in ("status", "policy history", "report", "audit", f"trace {outcome.sample_id}"):
        say(f"  ballast {command} --pipeline demo")
    say("End it with `ballast down --pipeline demo`.")
