"""Paid sources: over the wire to a server that keeps books, or stubs that fail as they are told."""

import time
from collections.abc import Callable
from typing import Any

from generate_world import World, recipe
from pydantic import SecretStr
from wire import Server

from services.generate.service import Generator
from services.models.faults import TroubleError
from services.models.provider import Request

KEY = "sk-secret-0123456789"
STEPS = 2_000


def source(server: Server, provider: str = "openai", called: str = "a", **fields: Any) -> dict[str, Any]:
    base = f"{server.url}/v1" if provider == "openai" else server.url
    model = {"name": called, "provider": provider, "model": f"m-{called}", "family": called, "base_url": base}
    return {**model, "api_key_variable": "MY_KEY", "price": {"input": 1, "output": 5}, **fields}


def world_of(
    *sources: dict[str, Any], target: int = 40, seeds: int = 500, broker: Any = None, **generate: Any
) -> World:
    world = World(recipe(sources=list(sources), task="chat", target=target, **generate), seeds=seeds, broker=broker)
    world.keys["MY_KEY"] = SecretStr(KEY)
    return world


def run_until(world: World, stage: Generator, is_done: Callable[[], bool]) -> None:
    for _ in range(STEPS):
        if is_done():
            return
        if stage.step() == 0:
            time.sleep(0.01)  # a pause is over some time
    raise AssertionError("the run does not end")


def made_of(world: World, stage: Generator) -> Callable[[], bool]:
    """Tell whether as many candidates are made as are wanted."""
    return lambda: stage._state.calls.all.unverified == world.recipe.generate.target


def told(server: Server, world: World) -> tuple[int, int, float]:
    """Return tokens and dollars that our records have less than the server's ledger."""
    answers = [event.source for event in world.responses() if event.choices]
    into = sum(sale.tokens_in for sale in server.ledger) - sum(each.tokens_in for each in answers)
    out = sum(sale.tokens_out for sale in server.ledger) - sum(each.tokens_out for each in answers)
    return into, out, sum(each.cost or 0 for each in answers)


class Failing:
    """A stub's behaviour: fails as long as it is told to, for some calls or all."""

    def __init__(self, outcome: Any = "failed", only: set[int] | None = None) -> None:
        self.is_away, self._outcome, self._only = True, outcome, only

    def __call__(self, request: Request) -> None:
        if self.is_away and (self._only is None or request.call_index in self._only):
            raise TroubleError("it answered HTTP status 500 (oops)", self._outcome)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def stubs(*names: str, **fields: Any) -> list[dict[str, Any]]:
    return [
        {"name": name, "provider": "openai", "model": "stub-1", "family": name, "concurrency": 4, **fields}
        for name in names
    ]
