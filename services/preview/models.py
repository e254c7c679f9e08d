"""The models of a recipe's sources; one that can't be reached has a prompt all the same."""

from services.errors import InputError
from services.generate.local import LocalProvider
from services.models.door import connect
from services.models.endpoint import Keys, endpoint
from services.models.provider import Answer, Model, Provider, Request
from services.recipe import Recipe, Source
from streams.errors import UnavailableError
from streams.metrics import Metrics


class Unreached:
    """A source that has no key; `why` says which."""

    inline = True

    def __init__(self, source: Source, why: str) -> None:
        self._source, self._why = source, why

    def model(self) -> Model:
        """Return the model that would be asked."""
        return Model(self._source.model or "", 0)

    def answer(self, request: Request) -> Answer:
        """Raise UnavailableError."""
        raise UnavailableError(f"{self._why} (call {request.call_index})")


def connected(recipe: Recipe, keys: Keys) -> dict[str, Provider]:
    """Return the model of each source; what they were trained on makes no difference to what they are asked."""
    metrics = Metrics()
    return {source.name: _provider(source, keys, metrics) for source in recipe.sources}


def _provider(source: Source, keys: Keys, metrics: Metrics) -> Provider:
    if source.is_local:
        return LocalProvider(source)
    try:
        return connect(endpoint(source, keys), metrics)
    except InputError as error:
        return Unreached(source, str(error))
