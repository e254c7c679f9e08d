"""Gives up on a call that does not return: librdkafka's transaction calls have been seen to outlast their own time-out.

Who gives up must not use the same client again, for the call may still be carried out.
"""

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any

Answer = tuple[Any, BaseException | None]


class Bounded:
    """One helper thread that makes calls while the caller waits; it never keeps the process from ending."""

    def __init__(self) -> None:
        self._calls: SimpleQueue[tuple[Callable[..., Any], tuple[Any, ...], SimpleQueue[Answer]]] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def call(self, seconds: float, function: Callable[..., Any], *arguments: Any) -> Any:
        """Return what the function returns, or raise what it raises; TimeoutError if it has not ended in time."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._serve, daemon=True)
            self._thread.start()
        answered: SimpleQueue[Answer] = SimpleQueue()
        self._calls.put((function, arguments, answered))
        try:
            result, error = answered.get(timeout=seconds)
        except Empty:
            raise TimeoutError(f"no return after {seconds:.0f} s") from None
        if error is not None:
            raise error
        return result

    def _serve(self) -> None:
        while True:
            function, arguments, answered = self._calls.get()
            try:
                answered.put((function(*arguments), None))
            except BaseException as error:  # noqa: BLE001 - the caller raises it
                answered.put((None, error))
