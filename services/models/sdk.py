"""A vendor's own SDK, by which each call is sent once: those of OpenAI and Anthropic have the same methods and errors.

The environment's settings for an SDK have no say about where a call goes and by which key.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from services.models.endpoint import Endpoint
from services.models.faults import FaultOf, HiddenError, cut, look_fault, silent, status_fault, unread
from services.models.vendor import ids, quoted
from streams.errors import BallastError

Told = TypeVar("Told")

_NO_KEY = "none"  # an SDK wants some


class Sdk:
    """`errors` is the module that has them, `client` makes the connection; threads may use it at once."""

    def __init__(self, errors: Any, client: Callable[..., Any], endpoint: Endpoint) -> None:
        self._errors, self._endpoint = errors, endpoint
        self._client = client(
            api_key=endpoint.key.get_secret_value() or _NO_KEY,
            base_url=endpoint.base_url,
            timeout=endpoint.seconds,
            max_retries=0,
        )

    def post(self, path: str, body: Mapping[str, Any], read: Callable[[Any], Told]) -> Told:
        """Make one call and read its answer. Blocks; raises TroubleError, RefusedError or UnavailableError."""
        return self._asked(lambda: read(self._client.post(path, cast_to=object, body=body)), status_fault)

    def models(self, path: str, params: Mapping[str, Any]) -> list[str]:
        """Return the models that are told of. Blocks; raises HiddenError, TroubleError or UnavailableError."""
        options = {"params": dict(params)}
        return self._asked(lambda: ids(self._client.get(path, cast_to=object, options=options)), look_fault)

    def has(self, path: str, model: str) -> bool:
        """Tell whether a model is there under this name. Blocks; raises TroubleError or UnavailableError."""
        try:
            self._asked(lambda: self._client.get(f"{path}/{quoted(model)}", cast_to=object), look_fault)
        except HiddenError:
            return False
        return True

    def _asked(self, ask: Callable[[], Told], fault_of: FaultOf) -> Told:
        fault: BallastError
        try:
            return ask()
        except self._errors.APIStatusError as error:
            fault = fault_of(self._endpoint, error.status_code, error.body, error.response.headers)
        except self._errors.APITimeoutError:
            fault = silent(self._endpoint)
        except self._errors.APIConnectionError:
            fault = cut()
        except (ValueError, LookupError, TypeError, AttributeError):
            fault = unread()
        raise fault  # not from the SDK's error, which may show the key in a traceback
