"""What a recipe says may be spent on paid models."""

from pydantic import Field

from services.recipe.part import Part


class Budget(Part):
    """The most that may be spent; null: no limit. No call is made whose worst case would exceed one."""

    dollars: float | None = Field(default=None, gt=0, description="In all. Needs the price of each model.")
    tokens: int | None = Field(default=None, ge=1, description="In and out together, in all.")
    dollars_per_hour: float | None = Field(default=None, gt=0, description="Of any 60 minutes.")
    tokens_per_hour: int | None = Field(default=None, ge=1, description="The same, in tokens.")

    @property
    def is_of_money(self) -> bool:
        """Whether it limits dollars, so that prices have to be known."""
        return self.dollars is not None or self.dollars_per_hour is not None
