"""evaluate: takes scores of outside trainers by HTTP, reads and writes `evaluate`.

One process takes one report at a time, for each fences the writer of the one before.
"""

import threading

from services.errors import InputError
from services.evaluate.application import application
from services.evaluate.reporting import Report, report
from services.evaluate.result import Result
from services.serving import Serving, is_loopback
from services.stage import Context, Stage

_IDLE_SECONDS = 0.5
_MOST_CONNECTIONS = 64


def build(context: Context) -> Stage:
    """Return the stage that serves HTTP."""
    return Reception(context)


class Reception:
    """Serves on the recipe's port."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._lock = threading.Lock()
        self._serving: Serving | None = None

    def start(self) -> None:
        """Listen; raises InputError where nobody should, UnavailableError if the port is taken."""
        host, token, evaluate = self._context.evaluate_host, self._context.evaluate_token, self._context.recipe.evaluate
        if evaluate is None:
            raise InputError("The recipe has no `evaluate`; give it `evaluate: {port: N}` to take scores by HTTP")
        if token is None and not is_loopback(host):
            raise InputError(
                f"Anyone who reaches {host} could report; set BALLAST_EVALUATE_TOKEN, or unset BALLAST_EVALUATE_HOST"
            )
        app = application(self._take, None if token is None else token.get_secret_value())
        self._serving = Serving(app, "evaluate", host, evaluate.port, connections=_MOST_CONNECTIONS)

    def step(self) -> int:
        """Wait a moment; raises UnavailableError if the server has ended."""
        if self._serving is not None:
            self._serving.check(_IDLE_SECONDS)
        return 0

    def close(self) -> None:
        """Answer what has been asked, and end."""
        if self._serving is not None:
            self._serving.close()

    def _take(self, said: Report) -> Result:
        context = self._context
        with self._lock:
            return report(context.broker, context.codec, context.pipeline, said, context.now())
