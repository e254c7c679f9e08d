"""Turns what the page knows into HTML; every text is escaped, whoever wrote it."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined

from services.review.figures import Figures
from services.review.outbox import Refused
from services.review.page.card import card
from services.review.page.marking import Piece
from services.review.reviewing import Task
from services.review.ruling import REASONS
from services.review.seats import Person


class OnDesk(NamedTuple):
    """What lies before a person: a sample, what came of his last click, and his decisions that came too late."""

    task: Task | None
    told: str = ""
    late: Sequence[Refused] = ()


class Show:
    """The page's templates, with what does not change while it is served; `now` gives UTC milliseconds."""

    def __init__(self, pipeline: str, guidelines: str, undo_seconds: float, now: Callable[[], int]) -> None:
        self._now = now
        self._made = Environment(
            loader=PackageLoader("services.review.page"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
        )
        self._made.globals |= {
            "pipeline": pipeline,
            "guidelines": guidelines,
            "undo_seconds": f"{undo_seconds:g}",
            "reasons": [(word, word.replace("_", " ")) for word in REASONS],
        }

    def login(self, name: str, error: str, csrf: str) -> str:
        """Return the form for who is not logged in."""
        return self._render("login.html", name=name, error=error, csrf=csrf)

    def queue(self, who: Person, csrf: str, figures: Figures, desk: "OnDesk") -> str:
        """Return the whole page."""
        return self._render("queue.html", csrf=csrf, **self._figures(figures, who), **self._desk(who, desk))

    def desk(self, who: Person, desk: "OnDesk") -> str:
        """Return the sample and what can be done about it."""
        return self._render("_desk.html", **self._desk(who, desk))

    def numbers(self, who: Person, figures: Figures) -> str:
        """Return the numbers in the head."""
        return self._render("_numbers.html", **self._figures(figures, who))

    def diff(self, pieces: Sequence[Piece]) -> str:
        """Return what an edit changes."""
        return self._render("_diff.html", pieces=pieces)

    def _desk(self, who: Person, desk: "OnDesk") -> dict[str, Any]:
        task = desk.task
        return {
            "who": who,
            "told": desk.told,
            "late": desk.late,
            "card": task and card(task.request, self._now()),
            "opinions": task.opinions if task else (),
        }

    def _figures(self, figures: Figures, who: Person) -> dict[str, Any]:
        backlog = figures.backlog
        return {
            "waiting": sum(backlog.values()) - backlog["outbox"],
            "disputed": backlog["adjudication"],
            "pace": figures.pace.get(who.name, 0),
            "alpha": figures.alpha,
        }

    def _render(self, template: str, **known: Any) -> str:
        return self._made.get_template(template).render(**known)
