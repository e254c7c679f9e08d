"""The messages protocol of Anthropic, by its own SDK."""

from collections.abc import Callable
from typing import Any, TypeVar

import anthropic

from services.models.endpoint import Endpoint
from services.models.faults import FaultOf, HiddenError, cut, look_fault, silent, status_fault, unread
from services.models.provider import Request, chosen
from services.models.vendor import Reply, ids, quoted
from streams.errors import BallastError
from streams.parts import Choice

Told = TypeVar("Told")

_NO_KEY = "none"  # the SDK wants some
_MOST = 1_000  # models of a list
_INPUT = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
_WORDS = {"end_turn": "stop", "stop_sequence": "stop", "max_tokens": "length"}


class AnthropicWire:
    """Sends each call once; the environment's settings for the SDK have no say about where and by which key."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._client = anthropic.Anthropic(
            api_key=endpoint.key.get_secret_value() or _NO_KEY,
            base_url=endpoint.base_url,
            timeout=endpoint.seconds,
            max_retries=0,
        )

    def send(self, request: Request) -> Reply:
        """Make one call. Blocks; raises TroubleError, RefusedError or UnavailableError."""
        return self._asked(
            lambda: _reply(self._client.post("/v1/messages", cast_to=object, body=_body(request))), status_fault
        )

    def models(self) -> list[str]:
        """Return the models that are told of. Blocks; raises HiddenError, TroubleError or UnavailableError."""
        return self._asked(
            lambda: ids(self._client.get("/v1/models", cast_to=object, options={"params": {"limit": _MOST}})),
            look_fault,
        )

    def has(self, model: str) -> bool:
        """Tell whether a model is there under this name. Blocks; raises TroubleError or UnavailableError."""
        try:
            self._asked(lambda: self._client.get(f"/v1/models/{quoted(model)}", cast_to=object), look_fault)
        except HiddenError:
            return False
        return True

    def _asked(self, ask: Callable[[], Told], fault_of: FaultOf) -> Told:
        fault: BallastError
        try:
            return ask()
        except anthropic.APIStatusError as error:
            fault = fault_of(self._endpoint, error.status_code, error.body, error.response.headers)
        except anthropic.APITimeoutError:
            fault = silent(self._endpoint)
        except anthropic.APIConnectionError:
            fault = cut()
        except (ValueError, LookupError, TypeError, AttributeError):
            fault = unread()
        raise fault  # not from the SDK's error, which may show the key in a traceback


def _body(request: Request) -> dict[str, Any]:
    turns = [turn for turn in request.prompt if turn.role != "system"]
    rules = "\n\n".join(turn.text for turn in request.prompt if turn.role == "system")
    body: dict[str, Any] = {
        "model": request.model_id,
        "messages": [{"role": turn.role, "content": turn.text} for turn in turns],
        "max_tokens": request.max_tokens,
    }
    if rules:
        body["system"] = rules
    if request.schema is not None:
        body["output_config"] = {"format": {"type": "json_schema", "schema": dict(request.schema)}}
    return {**body, **chosen(request)}


def _reply(data: Any) -> Reply:
    """Read an answer; raises what Python raises where it is none."""
    usage = data["usage"]
    text = "".join(part["text"] for part in data["content"] if part["type"] == "text")
    reason = str(data.get("stop_reason") or "end_turn")
    choice = Choice(text=text, finish_reason=_WORDS.get(reason, reason))
    return Reply((choice,), sum(int(usage.get(key) or 0) for key in _INPUT), int(usage["output_tokens"]))
