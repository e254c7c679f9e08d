"""evaluate: takes scores of outside trainers by HTTP, reads and writes `evaluate`.

One process takes one report at a time, for each fences the writer of the one before.
"""

import socket
import threading
from ipaddress import ip_address

import uvicorn

from services.errors import InputError
from services.evaluate.application import application
from services.evaluate.reporting import Report, report
from services.evaluate.result import Result
from services.stage import Context, Stage
from streams.errors import UnavailableError

_IDLE_SECONDS = 0.5
_MOST_CONNECTIONS = 64
_GRACE_SECONDS = 10


def build(context: Context) -> Stage:
    """Return the stage that serves HTTP."""
    return Reception(context)


class Reception:
    """Serves on the recipe's port, from a thread of its own."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._socket: socket.socket | None = None

    def start(self) -> None:
        """Listen; raises InputError where nobody should, UnavailableError if the port is taken."""
        host, token, evaluate = self._context.evaluate_host, self._context.evaluate_token, self._context.recipe.evaluate
        if evaluate is None:
            raise InputError("The recipe has no `evaluate`; give it `evaluate: {port: N}` to take scores by HTTP")
        if token is None and not is_loopback(host):
            raise InputError(
                f"Anyone who reaches {host} could report; set BALLAST_EVALUATE_TOKEN, or unset BALLAST_EVALUATE_HOST"
            )
        self._socket = _listening(host, evaluate.port)
        app = application(self._take, None if token is None else token.get_secret_value())
        self._server = uvicorn.Server(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                lifespan="off",
                server_header=False,
                limit_concurrency=_MOST_CONNECTIONS,
                timeout_graceful_shutdown=_GRACE_SECONDS,
            )
        )
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), name="evaluate", daemon=True)
        self._thread.start()

    def step(self) -> int:
        """Wait a moment; raises UnavailableError if the server has ended."""
        if self._thread is not None:
            self._thread.join(_IDLE_SECONDS)
            if not self._thread.is_alive():
                raise UnavailableError("The server of scores has ended by itself; start evaluate again")
        return 0

    def close(self) -> None:
        """Answer what has been asked, and end."""
        if self._thread is not None:
            self._server.should_exit = True
            self._thread.join()
        if self._socket is not None:
            self._socket.close()

    def _take(self, said: Report) -> Result:
        context = self._context
        with self._lock:
            return report(context.broker, context.codec, context.pipeline, said, context.now())


def is_loopback(host: str) -> bool:
    """Tell whether only this machine reaches an address; of names only `localhost` is known to be such."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _listening(host: str, port: int) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server((str(address[0]), port), family=family)
    except OSError as error:
        raise UnavailableError(
            f"Port {port} of {host} can't be served ({error.strerror}); choose another in the recipe's `evaluate.port`"
        ) from error
