"""Serves an application by HTTP from a thread of its own, for stages that people or trainers talk to."""

import socket
import threading
from ipaddress import ip_address

import uvicorn
from fastapi import FastAPI

from streams.errors import UnavailableError

LOCAL = ("127.0.0.1", "localhost", "[::1]")  # a page in a browser may reach them, but under a name of its own
_GRACE_SECONDS = 10


class Serving:
    """A server that listens as soon as it is made, and answers until it is closed."""

    def __init__(self, app: FastAPI, stage: str, host: str, port: int, *, connections: int) -> None:
        """Listen; beyond `connections` at once it answers with 503. Raises UnavailableError if the port is taken."""
        self._stage = stage
        self._socket = _listening(stage, host, port)
        self._server = uvicorn.Server(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                lifespan="off",
                server_header=False,
                limit_concurrency=connections,
                timeout_graceful_shutdown=_GRACE_SECONDS,
            )
        )
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), name=stage, daemon=True)
        self._thread.start()

    def check(self, wait: float = 0.0) -> None:
        """Wait a moment; raises UnavailableError if the server has ended."""
        self._thread.join(wait)
        if not self._thread.is_alive():
            raise UnavailableError(f"The HTTP server of {self._stage} has ended by itself; start {self._stage} again")

    def close(self) -> None:
        """Answer what has been asked, and end."""
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()


def is_loopback(host: str) -> bool:
    """Tell whether only this machine reaches an address; of names only `localhost` is known to be such."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _listening(stage: str, host: str, port: int) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server((str(address[0]), port), family=family)
    except OSError as error:
        raise UnavailableError(
            f"Port {port} of {host} can't be served ({error.strerror}); choose another in the recipe's `{stage}.port`"
        ) from error
