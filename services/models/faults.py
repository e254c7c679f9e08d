"""What a vendor's failures mean, decided once for all vendors; each is one sentence without the key in it.

TroubleError       the same call may work in a while           -> it is asked again
RefusedError       this call will never be answered            -> set aside with it
UnavailableError   no call would be answered: key, money, model, network or recipe   -> the stage stops
HiddenError        it does not tell its models             -> nothing is known of them
"""

import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any, Literal

from services.models.endpoint import Endpoint
from services.models.provider import FilteredError, RefusedError
from streams.errors import BallastError, UnavailableError

Outcome = Literal["rate_limited", "timeout", "failed"]

_QUOTA = {"insufficient_quota", "billing_error"}
_SETTINGS = {"model_not_found", "unsupported_parameter", "unsupported_value"}
_TIMEOUT, _RATE = 408, 429
_AGAIN = {_TIMEOUT, 409, 425, _RATE}
_KEY = {401, 403}
_MONEY, _ABSENT, _TOO_LONG, _BROKEN = 402, 404, 413, 500
_SAID_NO = {_RATE, 529}  # 529: Anthropic is overloaded
_HIDDEN = {403, _ABSENT, 405, 501}

FaultOf = Callable[[Endpoint, int, Any, Mapping[str, str]], BallastError]


class TroubleError(BallastError):
    """The vendor did not answer now; `pause` is how many seconds it asks to wait.

    What is rate-limited was not begun, so it costs nothing; of anything else nobody knows.
    """

    def __init__(self, told: str, outcome: Outcome, pause: float | None = None) -> None:
        super().__init__(told)
        self.outcome, self.pause = outcome, pause


def is_free(result: object) -> bool:
    """Tell whether what came of a call is that the vendor refused it, or any, outright, or was too busy to begin it."""
    match result:
        case TroubleError():
            return result.outcome == "rate_limited"
        case FilteredError():
            return False
    return isinstance(result, RefusedError | UnavailableError)


class HiddenError(BallastError):
    """The server has no such model, or does not let this key see it."""


def silent(endpoint: Endpoint) -> TroubleError:
    """Return the fault of a call that took too long."""
    return TroubleError(f"it said nothing for {endpoint.seconds:g} s", "timeout")


def cut() -> TroubleError:
    """Return the fault of a connection."""
    return TroubleError("it cannot be reached, or it cut the connection", "failed")


def unread() -> TroubleError:
    """Return the fault of an answer that is none."""
    return TroubleError("what it says is no answer of this protocol", "failed")


def status_fault(endpoint: Endpoint, status: int, body: Any, headers: Mapping[str, str]) -> BallastError:
    """Return what a vendor's answer with an HTTP status of 400 or more means."""
    said, words = _said(body), _words(body)
    told = endpoint.masked(said) or f"HTTP status {status}"
    name = endpoint.name
    if status == _MONEY or words & _QUOTA or "credit balance" in said:
        return UnavailableError(f"The account of {name} has no credit left ({told}); top it up, or take {name} out")
    if status in _AGAIN or status >= _BROKEN:
        outcome: Outcome = "rate_limited" if status in _SAID_NO else "timeout" if status == _TIMEOUT else "failed"
        return TroubleError(f"it answered HTTP status {status} ({told})", outcome, pause_of(headers, time.time()))
    if status in _KEY:
        return UnavailableError(
            f"The vendor of {name} does not accept the key ({told}); set {endpoint.variable} to one that it does"
        )
    if status == _ABSENT or words & _SETTINGS:
        return UnavailableError(
            f"The vendor of {name} cannot serve model {endpoint.model} as the recipe asks ({told}); change `model`, "
            "`base_url`, `temperature`, `max_tokens` or `structured` there"
        )
    if status == _TOO_LONG or "context_length_exceeded" in words:
        return RefusedError(f"{name} refuses the call as too long ({told}); shorten the text")
    return RefusedError(f"{name} refuses the call ({told}); look at the text")


def look_fault(endpoint: Endpoint, status: int, body: Any, headers: Mapping[str, str]) -> BallastError:
    """Return what it means where a vendor was only asked for its models."""
    if status in _HIDDEN:
        return HiddenError(f"HTTP status {status}")
    return status_fault(endpoint, status, body, headers)


def pause_of(headers: Mapping[str, str], now: float) -> float | None:
    """Return the seconds that Retry-After asks to wait, as a number or a date; None without it."""
    asked = headers.get("retry-after", "").strip()
    try:
        if (milliseconds := headers.get("retry-after-ms")) is not None:
            return max(0.0, float(milliseconds) / 1000)
        return max(0.0, float(asked)) if asked else None
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(asked).timestamp() - now)
    except ValueError:
        return None


def _error(body: Any) -> Any:
    inner = body.get("error", body) if isinstance(body, dict) else body
    return inner if inner is not None else body


def _said(body: Any) -> str:
    inner = _error(body)
    return str(inner.get("message") or "") if isinstance(inner, dict) else str(inner or "")


def _words(body: Any) -> set[str]:
    inner = _error(body)
    return {str(inner.get(key)) for key in ("code", "type")} if isinstance(inner, dict) else set()
