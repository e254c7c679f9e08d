"""A paid model that is asked again at once where it may answer then, for whoever has to wait for the answer."""

import time

import stamina

from services.models.faults import TroubleError
from services.models.provider import Answer, Model, Request
from services.models.vendor import Vendor
from streams.errors import UnavailableError

_ATTEMPTS = 8
_LONGEST_PAUSE = 1.0  # seconds, unless the vendor asks for more


class Patient:
    """Repeats what may work again, and obeys Retry-After; threads may call it at once.

    A call is repeated for `seconds` of the endpoint and one more, so with the last attempt it ends, or raises
    UnavailableError, within twice the silence that is allowed and 2 s.
    """

    inline = False

    def __init__(self, vendor: Vendor) -> None:
        self._vendor = vendor
        self._patience = vendor.endpoint.seconds + 1

    def model(self) -> Model:
        """Return the model."""
        return self._vendor.model()

    def answer(self, request: Request) -> Answer:
        """Return the answer. Blocks; raises RefusedError or UnavailableError."""
        began = time.monotonic()
        try:
            for attempt in stamina.retry_context(
                on=lambda error: self._pause(error, time.monotonic() - began),
                attempts=_ATTEMPTS,
                timeout=self._patience,
                wait_max=_LONGEST_PAUSE,
            ):
                with attempt:
                    return self._vendor.answer(request)
        except TroubleError as error:
            trouble = error
        where = self._vendor.endpoint
        raise UnavailableError(
            f"{where.name} at {where.base_url} gives no answer: {trouble}; "
            "check the network and `base_url`, or wait and start again"
        )

    def _pause(self, error: Exception, elapsed: float) -> bool | float:
        """Return how long to wait before the next attempt, True for as long as usual, False for not at all."""
        if not isinstance(error, TroubleError):
            return False
        if error.pause is None:
            return True
        return error.pause if elapsed + error.pause <= self._patience else False
