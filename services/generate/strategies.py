"""Which strategy a call has: answers first, then rephrased prompts, then new ones, as calls outnumber the seeds.

With few queries to a seed another answer to it teaches most, with many a new prompt (arXiv 2409.19759, which found no
sharp point of change; so the shares move gradually).
"""

from services.recipe import Strategies
from streams.samples import Strategy

_SILVER = 2**0.5 - 1  # independent of the golden ratio that draws the sources


def shares(ratio: float, points: Strategies) -> dict[Strategy, float]:
    """Return the shares of the strategies at a ratio of queries to seeds.

    Beyond a point p, what comes in there has a share of 1 - p / ratio: half at twice as many queries.
    """
    later = _beyond(ratio, points.rephrase_from)
    new = _beyond(ratio, points.new_prompt_from)
    return {"answer": 1 - later, "rephrase": later - new, "new_prompt": new}


def strategy_of(call_index: int, pool: int, points: Strategies) -> Strategy:
    """Return the call's strategy; the plan's calls keep to the shares within a few calls (additive recurrence)."""
    place = (call_index * _SILVER) % 1.0
    for strategy, share in shares((call_index + 1) / pool, points).items():
        place -= share
        if place < 0:
            return strategy
    return "new_prompt"


def _beyond(ratio: float, point: float) -> float:
    return max(0.0, 1 - point / ratio)
