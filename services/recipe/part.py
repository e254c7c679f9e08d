"""What all parts of a recipe are: read once, and unknown keys are errors."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from services.errors import InputError

Share = Annotated[float, Field(ge=0, le=1)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]


class RecipeError(InputError):
    """The recipe can't be used; nothing was started."""


class Part(BaseModel):
    """One part of a recipe; what it does not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)
