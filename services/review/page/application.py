"""The page's addresses: who is logged in gets the next sample that waits, and says what becomes of it.

Every answer is HTML made here; nothing is loaded from elsewhere, and the browser is told to allow nothing else.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from html import escape
from pathlib import Path
from typing import Annotated, Literal

from fastapi import FastAPI, Form, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.middleware.trustedhost import TrustedHostMiddleware

from services.review.errors import LoginError, ReviewError
from services.review.login import login, logout, person
from services.review.page import guard
from services.review.page.marking import changed
from services.review.page.show import OnDesk, Show
from services.review.reviewing import Reviewing, Task
from services.review.ruling import Ruling
from services.review.seats import Person
from services.review.store import Store
from services.serving import LOCAL, is_loopback

Now = Callable[[], int]
_Text = Annotated[str, Form(max_length=100_000)]
_Word = Annotated[str, Form(max_length=1_000)]
_Words = Annotated[list[str], Form(max_length=20)]
_DONE = {"accept": "Accepted", "reject": "Rejected", "edit": "Accepted as edited"}
_Decision = Annotated[Literal["accept", "reject", "edit", "skip"], Form()]


def application(reviewing: Reviewing, store: Store, show: Show, now: Now, host: str) -> FastAPI:
    """Return the application; the store may block, so every address runs in a thread."""
    app = FastAPI(openapi_url=None)
    if is_loopback(host):  # else a page elsewhere could reach it under a name of its own
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=LOCAL)
    app.middleware("http")(guard.guarded)
    app.add_exception_handler(HTTPException, _told)
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "static"))
    door, desk = _Door(store, show, now), _Desk(reviewing, store, show, now)
    for method, path, answer in (
        ("GET", "/login", door.form),
        ("POST", "/login", door.enter),
        ("POST", "/logout", door.leave),
        ("GET", "/", desk.queue),
        ("GET", "/next", desk.next),
        ("GET", "/previous", desk.previous),
        ("GET", "/numbers", desk.numbers),
        ("POST", "/decide", desk.decide),
        ("POST", "/undo", desk.undo),
        ("POST", "/renew", desk.renew),
        ("POST", "/acknowledge", desk.acknowledge),
        ("POST", "/diff", desk.diff),
    ):
        app.add_api_route(path, answer, methods=[method], response_class=HTMLResponse)
    return app


def _told(_: Request, error: Exception) -> Response:
    """Answer with one sentence where the sample would be."""
    assert isinstance(error, HTTPException)
    return HTMLResponse(f'<p class="told" role="alert">{escape(error.detail)}</p>', error.status_code, error.headers)


class _Door:
    """Logging in and out."""

    def __init__(self, store: Store, show: Show, now: Now) -> None:
        self._store, self._show, self._now = store, show, now

    def form(self, request: Request) -> Response:
        """Show the form to who is not logged in."""
        if person(self._store, request.cookies.get(guard.COOKIE, ""), self._now()) is not None:
            return RedirectResponse("/", 303)
        return self._form(request, "", "", 200)

    def enter(self, request: Request, name: _Word, password: _Word, csrf: _Word) -> Response:
        """Begin a session."""
        if not guard.is_ours(request.cookies.get(guard.COOKIE, ""), csrf):
            return self._form(request, name, "The form has grown old; log in again", 403)
        try:
            token = login(self._store, name, password, request.client.host if request.client else "", self._now())
        except LoginError as error:
            return self._form(request, name, str(error), 401)
        response = RedirectResponse("/", 303)
        guard.remember(response, token, is_secure=request.url.scheme == "https")
        return response

    def leave(self, request: Request, csrf: _Word) -> Response:
        """End the session."""
        token = request.cookies.get(guard.COOKIE, "")
        if guard.is_ours(token, csrf):
            logout(self._store, token)
        response = RedirectResponse("/login", 303)
        response.delete_cookie(guard.COOKIE)
        return response

    def _form(self, request: Request, name: str, error: str, status: int) -> Response:
        token = guard.new_visit()
        response = HTMLResponse(self._show.login(name, error, guard.csrf_of(token)), status)
        guard.remember(response, token, is_secure=request.url.scheme == "https")
        return response


class _Desk:
    """The queue and the decisions."""

    def __init__(self, reviewing: Reviewing, store: Store, show: Show, now: Now) -> None:
        self._reviewing, self._store, self._show, self._now = reviewing, store, show, now

    def queue(self, request: Request) -> Response:
        """Show the whole page."""
        token = request.cookies.get(guard.COOKIE, "")
        who = person(self._store, token, self._now())
        if who is None:
            return RedirectResponse("/login", 303)
        figures = self._reviewing.figures(self._now())
        return HTMLResponse(self._show.queue(who, guard.csrf_of(token), figures, self._first(who)))

    def next(self, request: Request, sample_id: str = "") -> Response:
        """Show the sample after another one, taking a new one where that is the last."""
        who = self._who(request)
        held = self._held(who)
        at = _place(held, sample_id)
        if at == 0:
            held = self._held(who, len(held) + 1)
            at = _place(held, sample_id)
        return self._answer(who, OnDesk(held[max(at - 1, 0)] if held else None))

    def previous(self, request: Request, sample_id: str = "") -> Response:
        """Show the sample before another one."""
        who = self._who(request)
        held = self._held(who)
        return self._answer(who, OnDesk(held[min(_place(held, sample_id) + 1, len(held) - 1)] if held else None))

    def numbers(self, request: Request) -> Response:
        """Show the numbers in the head of the page."""
        return HTMLResponse(self._show.numbers(self._who(request), self._reviewing.figures(self._now())))

    def decide(  # noqa: PLR0917 - the fields of one form
        self,
        request: Request,
        sample_id: _Word,
        decision: _Decision,
        reasons: _Words = [],  # noqa: B006 - the framework copies it
        comment: _Word = "",
        text: _Text = "",
    ) -> Response:
        """Take a decision, and show the next sample."""
        who = self._may_decide(request)
        if decision == "skip":
            self._reviewing.skip(who, sample_id)
            return self._answer(who, self._first(who, "Skipped: it comes again later"))
        ruling = Ruling(decision, who.name, tuple(reasons), comment, text)
        try:
            self._reviewing.submit(who, sample_id, ruling, self._now())
        except ReviewError as error:
            return self._answer(who, OnDesk(self._at(who, sample_id) or self._first(who).task, str(error)))
        response = self._answer(who, self._first(who, _DONE[decision]))
        response.headers["HX-Trigger"] = "decided"  # the numbers in the head are not those any more
        return response

    def undo(self, request: Request) -> Response:
        """Take the last decision back, and show its sample."""
        who = self._may_decide(request)
        sample_id = self._reviewing.undo(who, self._now())
        if sample_id is None:
            return self._answer(who, self._first(who, "Nothing can be taken back any more"))
        return self._answer(who, OnDesk(self._at(who, sample_id), "Taken back"))

    def renew(self, request: Request, sample_id: _Word) -> Response:
        """Keep a sample for a while longer."""
        who = self._may_decide(request)
        with suppress(ReviewError):  # the next click tells
            self._reviewing.renew(who, sample_id, self._now())
        return Response(status_code=204)

    def acknowledge(self, request: Request, row: Annotated[int, Form()]) -> Response:
        """Note that a reviewer knows of a decision that came too late."""
        who = self._may_decide(request)
        self._reviewing.acknowledge(who, row)
        return self._answer(who, self._first(who))

    def diff(self, request: Request, sample_id: _Word, text: _Text = "") -> Response:
        """Show what an edit changes."""
        task = self._at(self._may_decide(request), sample_id)
        turns = task.request.sample.turns if task else ()
        return HTMLResponse(self._show.diff(changed(turns[-1].text if turns else "", text)))

    def _who(self, request: Request) -> Person:
        who = person(self._store, request.cookies.get(guard.COOKIE, ""), self._now())
        if who is None:
            raise HTTPException(401, "The session is over; log in again", {"HX-Redirect": "/login"})
        return who

    def _may_decide(self, request: Request) -> Person:
        who = self._who(request)
        if not guard.is_ours(request.cookies.get(guard.COOKIE, ""), request.headers.get("x-csrf", "")):
            raise HTTPException(403, "The form is not of this session; load the page again")
        if who.role == "viewer":
            raise HTTPException(403, "A viewer decides nothing; ask a lead for another role")
        return who

    def _held(self, who: Person, most: int = 1) -> list[Task]:
        return self._reviewing.assign(who, self._now(), most)

    def _at(self, who: Person, sample_id: str) -> Task | None:
        return next((task for task in self._held(who) if task.request.sample.sample_id == sample_id), None)

    def _first(self, who: Person, told: str = "") -> OnDesk:
        held = self._held(who)
        return OnDesk(held[0] if held else None, told, self._reviewing.refused(who))

    def _answer(self, who: Person, desk: OnDesk) -> Response:
        return HTMLResponse(self._show.desk(who, desk))


def _place(held: Sequence[Task], sample_id: str) -> int:
    """Return where a sample stands among those that a person has before him, the newest first."""
    return next((n for n, task in enumerate(held) if task.request.sample.sample_id == sample_id), 0)
