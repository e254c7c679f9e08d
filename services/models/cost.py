"""What a call costs, and the most that it can cost before it is made."""

import json
from typing import NamedTuple

from services.models.provider import Request

_TURN_TOKENS = 16  # around each turn: its role and the marks of a chat template
_SCHEMA_TOKENS = 500  # with which a vendor says what a schema is
_MILLION = 1_000_000

Prices = tuple[float, float]  # dollars per million tokens in and out


class Cost(NamedTuple):
    """Tokens in and out together, and dollars; None where the price is unknown, which is never nothing."""

    tokens: int
    dollars: float | None


FREE = Cost(0, 0.0)  # of a model that computes here, or of a call that was refused outright


def price(tokens_in: int, tokens_out: int, prices: Prices | None) -> float | None:
    """Return dollars."""
    return None if prices is None else (tokens_in * prices[0] + tokens_out * prices[1]) / _MILLION


def worst(request: Request, prices: Prices | None) -> Cost:
    """Return the most that a call can cost: no tokenizer makes more tokens of a text than it has bytes."""
    tokens_in = sum(len(turn.text.encode()) + _TURN_TOKENS for turn in request.prompt)
    if request.schema is not None:
        tokens_in += len(json.dumps(request.schema)) + _SCHEMA_TOKENS
    return Cost(tokens_in + request.max_tokens, price(tokens_in, request.max_tokens, prices))
