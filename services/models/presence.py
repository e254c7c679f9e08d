"""Whether a model is there: asked of its vendor, who bills nothing for that."""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import NamedTuple

from services.models.endpoint import Endpoint
from services.models.faults import HiddenError, TroubleError
from services.models.vendor import Wire
from streams.errors import UnavailableError

_SHOWN = 5


class Presence(NamedTuple):
    """What was found of a model; `note` is one sentence on what is not known."""

    told: str
    note: str | None = None


def look(endpoint: Endpoint, wire: Wire) -> Presence:
    """Ask for a model. Blocks; raises UnavailableError, with one sentence, if it could not be called now."""
    where = f"{endpoint.model} at {endpoint.base_url}"
    try:
        known = wire.models()
        if endpoint.model in known or wire.has(endpoint.model):
            return Presence(f"{where} is there")
    except HiddenError as error:
        return Presence(f"{where} answers", _unknown(endpoint, f"its server does not tell its models ({error})"))
    except TroubleError as error:
        trouble = error
    else:
        raise UnavailableError(
            f"{endpoint.name} at {endpoint.base_url} has no model {endpoint.model}; {_hint(endpoint, known)}"
        )
    if trouble.outcome == "rate_limited":
        return Presence(f"{where} answers", _unknown(endpoint, f"its server is busy: {trouble}"))
    raise UnavailableError(
        f"{endpoint.name} at {endpoint.base_url} gives no answer: {trouble}; check the network and `base_url`"
    )


def _unknown(endpoint: Endpoint, why: str) -> str:
    return f"Whether {endpoint.name} has model {endpoint.model} is not known: {why}; if calls fail, look at `base_url`"


def _hint(endpoint: Endpoint, known: Sequence[str]) -> str:
    if near := get_close_matches(endpoint.model, known, 1):
        return f"did you mean {near[0]}?"
    shown = ", ".join(sorted(known)[:_SHOWN])
    return (
        f"it has {shown}" + (f" and {len(known) - _SHOWN} more" if len(known) > _SHOWN else "")
        if known
        else "it has none"
    )
