"""Calls of one model that is asked with patience, on a clock on which only pauses take time."""

from collections.abc import Sequence

from services.models.answers import Asked, Asker
from services.models.cost import worst
from services.models.endpoint import Endpoint
from services.models.in_flight import InFlight, Question
from services.models.patience import Patience
from services.models.provider import Answer, Provider, Request
from services.models.purse import Purse
from services.recipe import Budget
from streams.codec import Codec
from streams.events import ModelAnswered
from streams.fold import Fold
from streams.memory import MemoryBroker
from streams.samples import Source
from streams.topics import ensure, name

CODEC = Codec()


class Asking:
    """`now` is the clock, in seconds, and `pauses` are what it was moved by."""

    def __init__(self, provider: Provider, where: Endpoint, budget: Budget | None = None) -> None:
        self.now, self.pauses = 0.0, list[float]()
        self._broker, self._name = MemoryBroker(), where.name
        ensure(self._broker, "p")
        self._prices = where.prices
        patience = Patience(f"{where.name} at {where.base_url}", where.seconds)
        self._asker = Asker(
            InFlight(self._broker, CODEC, "p", self._milliseconds),
            {self._name: provider},
            {self._name: patience},
            Purse(budget or Budget(), 0, 1),
            self._milliseconds,
            clock=lambda: self.now,
            sleep=self._sleep,
        )

    def answer(self, request: Request) -> Answer:
        """Return the answer of a call, or raise why there is none."""
        found = self.ask([request])
        if found.refusals:
            raise found.refusals[0].error
        (answer,) = found.answers
        source = answer.source
        return Answer(answer.choices, source.tokens_in, source.tokens_out, source.cost)

    def ask(self, requests: Sequence[Request]) -> Asked:
        """Ask all of a wave."""
        return self._asker.ask([Question(request, self._asked(request)) for request in requests])

    def records(self) -> list[ModelAnswered]:
        """Return what lies in `response`."""
        found: list[ModelAnswered] = []
        fold = Fold(
            self._broker,
            [name("p", "response")],
            lambda some: found.extend(
                event for each in some if isinstance(event := CODEC.decode(each.value), ModelAnswered)
            ),
        )
        fold.catch_up()
        return found

    def _sleep(self, seconds: float) -> None:
        self.now += seconds
        self.pauses.append(seconds)

    def _milliseconds(self) -> int:
        return int(self.now * 1_000)

    def _asked(self, request: Request) -> ModelAnswered:
        most = worst(request, self._prices)
        source = Source(
            name=self._name,
            provider="openai",
            model_id=request.model_id,
            family="f",
            model_generation=0,
            prompt_hash="",
            request_key=request.request_key,
            call_index=request.call_index,
        )
        return ModelAnswered(
            event_id=f"{request.request_key}-asked",
            occurred_at=self._milliseconds(),
            request_key=request.request_key,
            purpose="judge",
            call_index=request.call_index,
            slot=0,
            source=source,
            task="text",
            prompt=request.prompt,
            choices=(),
            asked_at=self._milliseconds(),
            worst_tokens=most.tokens,
            worst_cost=most.dollars,
        )
