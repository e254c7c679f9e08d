"""What stages ask of a model's vendor, so that a local model and a paid service are the same to them.

RefusedError       this call will never be answered        -> generate: its dead letter; verify: a flag
FilteredError      the same, after it was billed
TroubleError       no answer now (services.models.faults)  -> generate: asked again later; verify: soon, for a while
UnavailableError   the vendor can't be reached now         -> the stage stops; never a dead letter
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from streams.errors import BallastError
from streams.parts import Choice
from streams.samples import Turn


class RefusedError(BallastError):
    """The vendor answered that it will not answer this call, and asking again would not help."""


class Model(NamedTuple):
    """What a provider answers with now; `generation` is the largest in the data that it was trained on."""

    model_id: str
    generation: int


class Request(NamedTuple):
    """One call; `request_key` is new for every call, so it also serves as the seed of a sampler.

    Without a temperature or top_p the model has its own; with a JSON Schema its answer has to be JSON of it.
    """

    request_key: str
    call_index: int
    model_id: str
    prompt: tuple[Turn, ...]
    temperature: float | None
    max_tokens: int
    top_p: float | None = None
    schema: Mapping[str, Any] | None = None


def chosen(request: Request) -> dict[str, float]:
    """Return the settings of the sampler that were made, by the names that all vendors have for them."""
    made = {"temperature": request.temperature, "top_p": request.top_p}
    return {key: value for key, value in made.items() if value is not None}


class Answer(NamedTuple):
    """What a call brought and cost; `cost` in dollars, None if unknown."""

    choices: Sequence[Choice]
    tokens_in: int = 0
    tokens_out: int = 0
    cost: float | None = None


class FilteredError(RefusedError):
    """The vendor broke its answer off, or gave none; what it billed for that is the `bill`."""

    def __init__(self, told: str, bill: Answer) -> None:
        super().__init__(told)
        self.bill = bill


class Provider(Protocol):
    """One source's model. `inline`: it computes here, so threads would gain nothing."""

    inline: bool

    def model(self) -> Model:
        """Return the model that the next calls go to. Does not block."""

    def answer(self, request: Request) -> Answer:
        """Return one choice. Blocks; called by several threads at once unless inline.

        Raises RefusedError, TroubleError or UnavailableError; any other error is taken for the fault of this call.
        """
