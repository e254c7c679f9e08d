"""A paid model behind `answer`: makes each call once, and counts calls, tokens and money."""

from typing import Any, NamedTuple, Protocol
from urllib.parse import quote

from services.models.cost import price
from services.models.endpoint import Endpoint
from services.models.faults import TroubleError
from services.models.provider import Answer, FilteredError, Model, RefusedError, Request
from streams.errors import UnavailableError
from streams.metrics import Metrics
from streams.parts import Choice

_FILTERED = {"content_filter", "refusal"}


class Reply(NamedTuple):
    """What came over the wire."""

    choices: tuple[Choice, ...]
    tokens_in: int
    tokens_out: int


class Wire(Protocol):
    """One vendor's protocol."""

    def send(self, request: Request) -> Reply:
        """Make one call, once. Blocks; raises TroubleError, RefusedError or UnavailableError, free of secrets."""

    def models(self) -> list[str]:
        """Return the models that are told of; nothing is paid. Blocks; raises HiddenError too, where none are."""

    def has(self, model: str) -> bool:
        """Tell whether a model is there under this name, which a list may leave out; nothing is paid. Blocks."""


def ids(told: Any) -> list[str]:
    """Read a list of models, which is the same in all protocols; raises what Python raises where it is none."""
    return [str(each["id"]) for each in told["data"]]


def quoted(model: str) -> str:
    """Return a model's name as one part of a path."""
    return quote(model, safe="")


class Vendor:
    """One model, whose training data has `generation` as its largest; threads may call it at once."""

    inline = False

    def __init__(self, endpoint: Endpoint, wire: Wire, metrics: Metrics, generation: int = 0) -> None:
        self.endpoint = endpoint
        self._wire, self._metrics, self._generation = wire, metrics, generation

    def model(self) -> Model:
        """Return the model."""
        return Model(self.endpoint.model, self._generation)

    def answer(self, request: Request) -> Answer:
        """Return the answer. Blocks for `seconds` of silence; raises TroubleError, RefusedError or UnavailableError."""
        name, count = self.endpoint.name, self._metrics.count
        try:
            reply = self._wire.send(request)
        except TroubleError as error:
            count("model_requests", 1, name, error.outcome)
            raise
        except RefusedError:
            count("model_requests", 1, name, "refused")
            raise
        except UnavailableError:
            count("model_requests", 1, name, "unavailable")
            raise
        is_filtered = any(choice.finish_reason in _FILTERED for choice in reply.choices)
        count("model_requests", 1, name, "refused" if is_filtered else "answered")
        return self._paid(reply)

    def _paid(self, reply: Reply) -> Answer:
        name, count = self.endpoint.name, self._metrics.count
        count("model_tokens", reply.tokens_in, name, "in")
        count("model_tokens", reply.tokens_out, name, "out")
        cost = price(reply.tokens_in, reply.tokens_out, self.endpoint.prices)
        if cost is not None:
            count("model_cost_dollars", cost, name)
        answer = Answer(reply.choices, reply.tokens_in, reply.tokens_out, cost)
        if filtered := next((each.finish_reason for each in reply.choices if each.finish_reason in _FILTERED), None):
            raise FilteredError(f"{name} broke its answer off ({filtered}); look at the text", answer)
        return answer
