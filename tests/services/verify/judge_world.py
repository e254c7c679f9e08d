"""Candidates with a source, answers of judges, and judges that keep books."""

import json
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from idling import until_idle
from pydantic import SecretStr
from verify_world import context, recipe, sample
from wire import Server

from services.models.provider import Answer, Model, Request
from services.recipe import Recipe
from services.stage import Stage
from services.verify.rubric import CRITERIA
from services.verify.service import build
from streams.metrics import Metrics
from streams.parts import Choice
from streams.samples import Sample, Source

OURS = {"name": "q", "provider": "openai", "model": "m-1", "family": "qwen", "base_url": "http://127.0.0.1:9/v1"}
KEY = "sk-secret-0123456789"
THEIRS = {**OURS, "name": "c", "family": "claude"}


def judged(*judges: Mapping[str, Any], **verify: Any) -> Recipe:
    checks = ["format", "duplicate", "judge"]
    return recipe(**{"judges": list(judges) or [OURS], "checks": checks, "concurrency": 4, **verify})


def answer(reason: str = "no fault", confidence: float = 0.9, score: int = 5, **scores: int) -> str:
    told = {**dict.fromkeys(CRITERIA, score), **scores}
    return json.dumps({**told, "confidence": confidence, "reason": reason})


def made_by(family: str, key: object, content: str) -> Sample:
    source = Source(
        name=f"{family}-1",
        provider="openai",
        model_id="m",
        family=family,
        model_generation=0,
        prompt_hash="",
        request_key="",
        call_index=0,
    )
    plain = sample(key, content)
    return replace(plain, lineage=replace(plain.lineage, source=source))


class Books:
    """A judge that answers what `says` makes of a request, and counts what was bought."""

    inline = False

    def __init__(self, says: Callable[[Request], str] = lambda _: answer()) -> None:
        self.bought: Counter[str] = Counter()
        self.prompts: list[str] = []
        self._says, self._lock = says, threading.Lock()

    def model(self) -> Model:
        return Model("m-1", 0)

    def answer(self, request: Request) -> Answer:
        text = self._says(request)
        with self._lock:
            self.bought[request.request_key] += 1
            self.prompts.append(request.prompt[-1].text)
        return Answer((Choice(text=text),), 10, 2, 0.25)


def verifier(broker: Any, chosen: Recipe, judges: Mapping[str, Books], metrics: Metrics | None = None) -> Stage:
    return build(context(broker, chosen, metrics), judges)


def over_the_wire(
    broker: Any, server: Server, provider: str, metrics: Metrics | None = None, slot: int = 0, **verify: Any
) -> Stage:
    """Return a verifier whose only judge is behind a server."""
    base = f"{server.url}/v1" if provider == "openai" else server.url
    where = {**OURS, "provider": provider, "base_url": base, "api_key_variable": "MY_KEY", "seconds": 10}
    chosen = judged({**where, "price": {"input": 1, "output": 5}}, **verify)
    return build(replace(context(broker, chosen, metrics), slot=slot, keys={"MY_KEY": SecretStr(KEY)}.get))


def drained(broker: Any, chosen: Recipe, metrics: Metrics | None = None, **judges: Books) -> Stage:
    made = verifier(broker, chosen, judges, metrics)
    made.start()
    until_idle(made)
    return made
