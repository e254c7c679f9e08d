"""What a recipe says of how many samples each stratum is to have."""

from typing import Annotated, Literal

from pydantic import Field

from services.recipe.part import Part


class Quotas(Part):
    """Accepted samples wanted of each stratum of the seeds; of a stratum that is not named none are wanted."""

    by: Literal["domain", "label"] = Field(default="domain", description="Of the seed; label needs paid sources.")
    targets: dict[str, Annotated[int, Field(ge=1)]] = Field(
        min_length=1, description="Stratum -> accepted samples; they sum up to target."
    )

    @property
    def names(self) -> tuple[str, ...]:
        """The strata, in the recipe's order."""
        return tuple(self.targets)
