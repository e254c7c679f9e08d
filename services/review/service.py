"""review: reads review and decision, writes decision, verify and reject for what people, or an expiry, have decided."""

import math
from collections import Counter
from collections.abc import Callable

from services.review import page, sending
from services.review.decide import expire
from services.review.desk import Desk
from services.review.figures import Figures, figures
from services.review.reviewing import Reviewing
from services.review.store import FILE, Store
from services.review.terms import terms
from services.serving import Serving
from services.stage import Context, Stage
from streams.errors import AbortableError
from streams.events import Decision

_IDLE_SECONDS = 0.5


def build(context: Context, serve: page.Serve = page.served) -> Stage:
    """Return the stage that sends what people decide, and lets requests expire; `serve` opens its page."""
    return Review(context, serve)


class Review:
    """Takes the transactional id only while something is due, so that people's commands do not end it."""

    def __init__(self, context: Context, serve: page.Serve) -> None:
        self._context, self._serve = context, serve
        self._terms = terms(context.recipe.review)
        self._desk: Desk | None = None
        self._store: Store | None = None
        self._reviewing: Reviewing | None = None
        self._serving: Serving | None = None
        self._told: Counter[Decision] = Counter()

    def start(self) -> None:
        """Read what waits, and serve the page if the recipe has one. Blocks."""
        context = self._context
        self._desk = Desk(context.broker, context.codec, context.pipeline)
        self._desk.catch_up()
        self._told = self._desk.decisions.settled.copy()
        if (port := context.recipe.review.port) is not None:
            self._store = Store(context.folder / FILE)
            self._reviewing = Reviewing(self._desk, self._store, context.codec, self._terms)
            self._serving = self._serve(context, port, self._reviewing, self._store)
        context.metrics.before_scrape(self._update)

    def step(self) -> int:
        """Send what people have decided, decide about what is due; returns how many samples."""
        if self._desk is None:
            return 0
        self._desk.advance(_IDLE_SECONDS)
        if self._serving is not None:
            self._serving.check()
        now = self._context.now()
        count = self._send(self._desk, self._store, now) if self._store is not None else 0
        if self._desk.due(now, 1):
            count += self._expire(self._desk, now)
        self._count(self._desk)
        return count

    def close(self) -> None:
        """Let go of the port, the connection and the file."""
        if self._serving is not None:
            self._serving.close()
        if self._desk is not None:
            self._desk.close()
        if self._store is not None:
            self._store.close()

    def _send(self, desk: Desk, store: Store, now: int) -> int:
        context = self._context
        sending.tidy(store, desk, now)
        return self._transact(
            lambda: sending.send(
                context.broker, context.codec, context.pipeline, desk, store, terms=self._terms, now=now
            )
        )

    def _expire(self, desk: Desk, now: int) -> int:
        context = self._context
        return self._transact(lambda: expire(context.broker, context.codec, context.pipeline, desk, now))

    def _transact(self, write: Callable[[], int]) -> int:
        try:
            count = write()
        except AbortableError:
            self._context.metrics.count("transactions", 1, "review", "aborted")
            return 0
        if count:
            self._context.metrics.count("transactions", 1, "review", "committed")
        return count

    def _count(self, desk: Desk) -> None:
        """Count what was settled since the last look, by whomever."""
        for decision, count in (desk.decisions.settled - self._told).items():
            self._context.metrics.count("review_decisions", count, decision)
        self._told = desk.decisions.settled.copy()

    def _update(self) -> None:
        """Bring the gauges up to date, in the thread of whoever scrapes."""
        found, metrics = self._figures(), self._context.metrics
        metrics.set("review_agreement_alpha", math.nan if found.alpha is None else found.alpha)
        for state, count in found.backlog.items():
            metrics.set("review_tasks", count, state)

    def _figures(self) -> Figures:
        desk, now = self._desk, self._context.now()
        assert desk is not None
        if self._reviewing is not None:
            return self._reviewing.figures(now)
        with desk.lock:
            return figures(desk, self._terms, now)
