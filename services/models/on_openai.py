"""The chat protocol of OpenAI, which vLLM, Ollama, llama-server and many vendors speak too, by OpenAI's own SDK."""

from typing import Any

import openai

from services.models.endpoint import OPENAI_URL, Endpoint
from services.models.provider import Request, chosen
from services.models.sdk import Sdk
from services.models.vendor import Reply
from streams.parts import Choice

_MODELS = "/models"


class OpenAIWire:
    """Sends each call once."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._sdk = Sdk(openai, openai.OpenAI, endpoint)

    def send(self, request: Request) -> Reply:
        """Make one call. Blocks; raises TroubleError, RefusedError or UnavailableError."""
        return self._sdk.post("/chat/completions", self._body(request), _reply)

    def models(self) -> list[str]:
        """Return the models that are told of. Blocks; raises HiddenError, TroubleError or UnavailableError."""
        return self._sdk.models(_MODELS, {})

    def has(self, model: str) -> bool:
        """Tell whether a model is there under this name. Blocks; raises TroubleError or UnavailableError."""
        return self._sdk.has(_MODELS, model)

    def _body(self, request: Request) -> dict[str, Any]:
        # OpenAI's newer models take no `max_tokens`, and some servers of others nothing else.
        limit = "max_completion_tokens" if self._endpoint.base_url == OPENAI_URL else "max_tokens"
        body: dict[str, Any] = {
            "model": request.model_id,
            "messages": [{"role": turn.role, "content": turn.text} for turn in request.prompt],
            limit: request.max_tokens,
        }
        if request.schema is not None:
            told = {"name": "answer", "strict": True, "schema": dict(request.schema)}
            body["response_format"] = {"type": "json_schema", "json_schema": told}
        return {**body, **chosen(request)}


def _reply(data: Any) -> Reply:
    """Read an answer; raises what Python raises where it is none."""
    usage = data.get("usage") if isinstance(data, dict) else None
    return Reply(
        tuple(_choice(each) for each in data["choices"]),
        int((usage or {}).get("prompt_tokens") or 0),
        int((usage or {}).get("completion_tokens") or 0),
    )


def _choice(data: Any) -> Choice:
    message = data["message"]
    if message.get("refusal"):
        return Choice(text=str(message["refusal"]), finish_reason="refusal")
    return Choice(text=str(message["content"] or ""), finish_reason=str(data.get("finish_reason") or "stop"))
