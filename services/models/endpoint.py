"""Where a paid model is reached, and by what right: from the recipe and one variable of the environment."""

from collections.abc import Callable
from typing import NamedTuple

from pydantic import SecretStr

from services.errors import InputError
from services.recipe import Served

OPENAI_URL = "https://api.openai.com/v1"
ANTHROPIC_URL = "https://api.anthropic.com"

_LONGEST = 200
_LONGEST_BODY = 2_000
_MASK = "********"
_HOMES = {
    "openai": (OPENAI_URL, "BALLAST_OPENAI_API_KEY"),
    "anthropic": (ANTHROPIC_URL, "BALLAST_ANTHROPIC_API_KEY"),
}

Keys = Callable[[str], SecretStr | None]


class Endpoint(NamedTuple):
    """A model and its address; `prices` are dollars per million tokens in and out, `seconds` how long it may be silent.

    `variable` is where the key stands; a server of one's own may need none.
    """

    name: str
    provider: str
    model: str
    base_url: str
    key: SecretStr
    variable: str
    prices: tuple[float, float] | None
    seconds: float

    def masked(self, text: str) -> str:
        """Return what a vendor said in one line of at most 200 characters, without the key."""
        secret = self.key.get_secret_value()
        told = text.replace(secret, _MASK) if secret else text
        return " ".join(told[:_LONGEST_BODY].split())[:_LONGEST]


def address(served: Served) -> str:
    """Return the address at which a model is asked."""
    return served.base_url or _HOMES[served.provider][0]


def endpoint(served: Served, keys: Keys) -> Endpoint:
    """Return where a model is asked; raises InputError if its key is not set.

    The vendor's own key goes to the vendor alone: a model with another address has the key of a variable that it names.
    """
    usual = _HOMES[served.provider][1]
    variable = served.api_key_variable or ("" if served.base_url else usual)
    key = keys(variable) if variable else SecretStr("")
    if key is None:
        raise InputError(f"{served.name} has no key: set {variable}, or name another variable by api_key_variable")
    return Endpoint(
        name=served.name,
        provider=served.provider,
        model=served.model or "",
        base_url=address(served),
        key=key,
        variable=variable or "api_key_variable",
        prices=served.prices,
        seconds=served.seconds,
    )
