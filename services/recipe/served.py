"""What a recipe says of a model behind an address, whether it makes candidates or judges them."""

from pydantic import Field

from services.recipe.part import Name, Part


class Price(Part):
    """Dollars per million tokens."""

    input: float = Field(ge=0)
    output: float = Field(ge=0)


class Served(Part):
    """Which model is asked, where, by what right and at what price."""

    name: Name
    provider: str
    model: str | None = None
    family: str
    base_url: str | None = Field(default=None, pattern=r"^https?://[^@\s]+$", description="A compatible server.")
    api_key_variable: str | None = Field(
        default=None, pattern=r"^[A-Z][A-Z0-9_]*$", description="Variable of the key, if it is not the vendor's usual."
    )
    price: Price | None = Field(default=None, description="Unset: what it costs is unknown.")
    seconds: float

    @property
    def prices(self) -> tuple[float, float] | None:
        """Dollars per million tokens in and out; None if unknown."""
        return None if self.price is None else (self.price.input, self.price.output)
