"""The page for reviewers, as HTML that works without any network."""

from collections.abc import Callable

from services.errors import InputError
from services.review.page.application import application
from services.review.page.show import Show
from services.review.reviewing import Reviewing
from services.review.store import Store
from services.serving import Serving
from services.stage import Context

_MOST_CONNECTIONS = 1_000  # a browser takes six
Serve = Callable[[Context, int, Reviewing, Store], Serving | None]


def served(context: Context, port: int, reviewing: Reviewing, store: Store) -> Serving:
    """Serve the page; raises InputError if the guidelines can't be read, UnavailableError if the port is taken."""
    show = Show(context.pipeline, guidelines(context), context.recipe.review.undo_seconds, context.now)
    app = application(reviewing, store, show, context.now, context.review_host)
    return Serving(app, "review", context.review_host, port, connections=_MOST_CONNECTIONS)


def guidelines(context: Context) -> str:
    """Return the text for the reviewers, empty if the recipe names none."""
    path = context.recipe.review.guidelines
    if path is None:
        return ""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"The guidelines {path} can't be read ({error}); mend `review.guidelines`") from error
