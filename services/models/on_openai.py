"""The chat protocol of OpenAI, which vLLM, Ollama, llama-server and many vendors speak too, by OpenAI's own SDK."""

from collections.abc import Callable
from typing import Any, TypeVar

import openai

from services.models.endpoint import OPENAI_URL, Endpoint
from services.models.faults import FaultOf, HiddenError, cut, look_fault, silent, status_fault, unread
from services.models.provider import Request, chosen
from services.models.vendor import Reply, ids, quoted
from streams.errors import BallastError
from streams.parts import Choice

Told = TypeVar("Told")

_NO_KEY = "none"  # the SDK wants some


class OpenAIWire:
    """Sends each call once; the environment's settings for the SDK have no say about where and by which key."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._client = openai.OpenAI(
            api_key=endpoint.key.get_secret_value() or _NO_KEY,
            base_url=endpoint.base_url,
            timeout=endpoint.seconds,
            max_retries=0,
        )

    def send(self, request: Request) -> Reply:
        """Make one call. Blocks; raises TroubleError, RefusedError or UnavailableError."""
        return self._asked(
            lambda: _reply(self._client.post("/chat/completions", cast_to=object, body=self._body(request))),
            status_fault,
        )

    def models(self) -> list[str]:
        """Return the models that are told of. Blocks; raises HiddenError, TroubleError or UnavailableError."""
        return self._asked(lambda: ids(self._client.get("/models", cast_to=object)), look_fault)

    def has(self, model: str) -> bool:
        """Tell whether a model is there under this name. Blocks; raises TroubleError or UnavailableError."""
        try:
            self._asked(lambda: self._client.get(f"/models/{quoted(model)}", cast_to=object), look_fault)
        except HiddenError:
            return False
        return True

    def _asked(self, ask: Callable[[], Told], fault_of: FaultOf) -> Told:
        fault: BallastError
        try:
            return ask()
        except openai.APIStatusError as error:
            fault = fault_of(self._endpoint, error.status_code, error.body, error.response.headers)
        except openai.APITimeoutError:
            fault = silent(self._endpoint)
        except openai.APIConnectionError:
            fault = cut()
        except (ValueError, LookupError, TypeError, AttributeError):
            fault = unread()
        raise fault  # not from the SDK's error, which may show the key in a traceback

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
