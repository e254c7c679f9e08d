"""Opens the door to a vendor: its SDK takes a second to import, so only who asks that vendor imports it."""

from services.models.endpoint import Endpoint
from services.models.presence import Presence, look
from services.models.vendor import Vendor, Wire
from streams.metrics import Metrics

_LOOK_SECONDS = 5.0


def connect(endpoint: Endpoint, metrics: Metrics, generation: int = 0) -> Vendor:
    """Return the model behind an address, and of which generation it is. Makes no call yet."""
    return Vendor(endpoint, _wire(endpoint), metrics, generation)


def find(endpoint: Endpoint) -> Presence:
    """Return whether the model is there. Blocks for some seconds; raises UnavailableError if it can't be called now."""
    return look(endpoint, _wire(endpoint._replace(seconds=min(endpoint.seconds, _LOOK_SECONDS))))


def _wire(endpoint: Endpoint) -> Wire:
    if endpoint.provider == "openai":
        from services.models.on_openai import OpenAIWire  # noqa: PLC0415 - see above

        return OpenAIWire(endpoint)
    from services.models.on_anthropic import AnthropicWire  # noqa: PLC0415 - the same

    return AnthropicWire(endpoint)
