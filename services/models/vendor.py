"""A paid model behind `answer`: repeats what may work again, obeys Retry-After, counts calls, tokens and money."""

import time
from typing import NamedTuple, Protocol

import stamina

from services.models.endpoint import Endpoint
from services.models.faults import TroubleError
from services.models.provider import Answer, Model, RefusedError, Request
from streams.errors import UnavailableError
from streams.metrics import Metrics
from streams.parts import Choice

_ATTEMPTS = 8
_LONGEST_PAUSE = 1.0  # seconds, unless the vendor asks for more
_FILTERED = {"content_filter", "refusal"}
_MILLION = 1_000_000


class Reply(NamedTuple):
    """What came over the wire."""

    choices: tuple[Choice, ...]
    tokens_in: int
    tokens_out: int


class Wire(Protocol):
    """One vendor's protocol."""

    def send(self, request: Request) -> Reply:
        """Make one call, once. Blocks; raises TroubleError, RefusedError or UnavailableError, free of secrets."""


class Vendor:
    """One model; threads may call it at once.

    A call is repeated for `seconds` of the endpoint and one more, so with the last attempt it ends, or raises
    UnavailableError, within twice the silence that is allowed and 2 s.
    """

    inline = False

    def __init__(self, endpoint: Endpoint, wire: Wire, metrics: Metrics) -> None:
        self._endpoint, self._wire, self._metrics = endpoint, wire, metrics
        self._patience = endpoint.seconds + 1

    def model(self) -> Model:
        """Return the model; what it was trained on is not known here."""
        return Model(self._endpoint.model, 0)

    def answer(self, request: Request) -> Answer:
        """Return the answer. Blocks; raises RefusedError or UnavailableError."""
        began = time.monotonic()
        try:
            for attempt in stamina.retry_context(
                on=lambda error: self._pause(error, time.monotonic() - began),
                attempts=_ATTEMPTS,
                timeout=self._patience,
                wait_max=_LONGEST_PAUSE,
            ):
                with attempt:
                    reply = self._send(request)
        except TroubleError as error:
            trouble = error
        else:
            return self._paid(reply)
        raise UnavailableError(
            f"{self._endpoint.name} at {self._endpoint.base_url} gives no answer: {trouble}; "
            "check the network and `base_url`, or wait and start again"
        )

    def _pause(self, error: Exception, elapsed: float) -> bool | float:
        """Return how long to wait before the next attempt, True for as long as usual, False for not at all."""
        if not isinstance(error, TroubleError):
            return False
        if error.pause is None:
            return True
        return error.pause if elapsed + error.pause <= self._patience else False

    def _send(self, request: Request) -> Reply:
        name, count = self._endpoint.name, self._metrics.count
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
        return reply

    def _paid(self, reply: Reply) -> Answer:
        name, count = self._endpoint.name, self._metrics.count
        count("model_tokens", reply.tokens_in, name, "in")
        count("model_tokens", reply.tokens_out, name, "out")
        cost = self._cost(reply)
        if cost is not None:
            count("model_cost_dollars", cost, name)
        if filtered := next((each.finish_reason for each in reply.choices if each.finish_reason in _FILTERED), None):
            raise RefusedError(f"{name} broke its answer off ({filtered}); look at the text")
        return Answer(reply.choices, reply.tokens_in, reply.tokens_out, cost)

    def _cost(self, reply: Reply) -> float | None:
        if self._endpoint.prices is None:
            return None
        price_in, price_out = self._endpoint.prices
        return (reply.tokens_in * price_in + reply.tokens_out * price_out) / _MILLION
