"""What keeps others out of the page: headers, the session's cookie, and a token that another site can't know."""

import hmac
import secrets
from collections.abc import Awaitable, Callable
from hashlib import sha256

from fastapi import Request, Response

COOKIE = "ballast_session"
_HOURS = 12
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


async def guarded(request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
    """Add the headers that a browser obeys; pages of a session are kept nowhere."""
    response = await answer(request)
    response.headers.update(_HEADERS)
    if not request.url.path.startswith("/static/"):
        response.headers["Cache-Control"] = "no-store"
    return response


def csrf_of(token: str) -> str:
    """Return what a form of this session carries: it follows from the session's token, which no script can read."""
    return hmac.new(token.encode(), b"csrf", sha256).hexdigest()


def is_ours(token: str, given: str) -> bool:
    """Tell whether a form was made for this session."""
    return hmac.compare_digest(csrf_of(token).encode(), given.encode())


def new_visit() -> str:
    """Return a token for somebody who is not logged in yet, so that no other site logs him in."""
    return secrets.token_urlsafe(32)


def remember(response: Response, token: str, *, is_secure: bool) -> None:
    """Give the browser a token that it sends to nobody else and shows to no script."""
    response.set_cookie(
        COOKIE, token, max_age=_HOURS * 3_600, httponly=True, samesite="strict", secure=is_secure, path="/"
    )
