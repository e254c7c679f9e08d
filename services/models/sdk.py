"""A vendor's own SDK, by which each call is sent once: those of OpenAI and Anthropic have the same methods and errors.

The environment's settings for an SDK have no say about where a call goes and by which key.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar
from weakref import finalize

import httpx2

from services.models.endpoint import Endpoint
from services.models.faults import FaultOf, HiddenError, cut, look_fault, silent, status_fault, unread
from services.models.vendor import ids, quoted
from streams.errors import BallastError

Told = TypeVar("Told")

_NO_KEY = "none"  # an SDK wants some


class Sdk:
    """`module` is the SDK's, `client` its class of clients; threads may use it at once.

    Each call in flight has a connection of its own: a pool of them is gone through whole for every call, which with
    200 connections takes a third of a call's time.
    """

    def __init__(self, module: Any, client: Callable[..., Any], endpoint: Endpoint) -> None:
        self._module, self._endpoint = module, endpoint
        self._trust = httpx2.create_ssl_context()  # read once, for it takes 15 ms
        self._client = client(
            api_key=endpoint.key.get_secret_value() or _NO_KEY,
            base_url=endpoint.base_url,
            timeout=endpoint.seconds,
            max_retries=0,
            http_client=self._connection(),
        )
        self._idle = [self._client]
        finalize(self, _close, self._idle)

    def post(self, path: str, body: Mapping[str, Any], read: Callable[[Any], Told]) -> Told:
        """Make one call and read its answer. Blocks; raises TroubleError, RefusedError or UnavailableError."""
        return self._asked(lambda client: read(client.post(path, cast_to=object, body=body)), status_fault)

    def models(self, path: str, params: Mapping[str, Any]) -> list[str]:
        """Return the models that are told of. Blocks; raises HiddenError, TroubleError or UnavailableError."""
        options = {"params": dict(params)}
        return self._asked(lambda client: ids(client.get(path, cast_to=object, options=options)), look_fault)

    def has(self, path: str, model: str) -> bool:
        """Tell whether a model is there under this name. Blocks; raises TroubleError or UnavailableError."""
        try:
            self._asked(lambda client: client.get(f"{path}/{quoted(model)}", cast_to=object), look_fault)
        except HiddenError:
            return False
        return True

    def _connection(self) -> httpx2.Client:
        connection: httpx2.Client = self._module.DefaultHttpxClient(verify=self._trust)
        return connection

    @contextmanager
    def _free(self) -> Iterator[Any]:
        """Lend a client that no other call uses, the last one that came back first."""
        try:
            client = self._idle.pop()
        except IndexError:
            client = self._client.with_options(http_client=self._connection())
        try:
            yield client
        finally:
            self._idle.append(client)

    def _asked(self, ask: Callable[[Any], Told], fault_of: FaultOf) -> Told:
        fault: BallastError
        try:
            with self._free() as client:
                return ask(client)
        except self._module.APIStatusError as error:
            fault = fault_of(self._endpoint, error.status_code, error.body, error.response.headers)
        except self._module.APITimeoutError:
            fault = silent(self._endpoint)
        except self._module.APIConnectionError:
            fault = cut()
        except (ValueError, LookupError, TypeError, AttributeError):
            fault = unread()
        raise fault  # not from the SDK's error, which may show the key in a traceback


def _close(clients: list[Any]) -> None:
    for client in clients:
        client.close()
