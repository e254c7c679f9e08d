"""The messages protocol of Anthropic, by its own SDK."""

from typing import Any

import anthropic

from services.models.endpoint import Endpoint
from services.models.provider import Request, chosen
from services.models.sdk import Sdk
from services.models.vendor import Reply
from streams.parts import Choice

_MODELS = "/v1/models"
_MOST = 1_000  # models of a list
_INPUT = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
_WORDS = {"end_turn": "stop", "stop_sequence": "stop", "max_tokens": "length"}


class AnthropicWire:
    """Sends each call once."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._sdk = Sdk(anthropic, anthropic.Anthropic, endpoint)

    def send(self, request: Request) -> Reply:
        """Make one call. Blocks; raises TroubleError, RefusedError or UnavailableError."""
        return self._sdk.post("/v1/messages", _body(request), _reply)

    def models(self) -> list[str]:
        """Return the models that are told of. Blocks; raises HiddenError, TroubleError or UnavailableError."""
        return self._sdk.models(_MODELS, {"limit": _MOST})

    def has(self, model: str) -> bool:
        """Tell whether a model is there under this name. Blocks; raises TroubleError or UnavailableError."""
        return self._sdk.has(_MODELS, model)


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
