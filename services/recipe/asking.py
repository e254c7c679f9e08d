"""What a recipe says of how paid models are asked: by which strategies, and as whom they write."""

from typing import Annotated

from pydantic import Field, model_validator

from services.recipe.part import Part

Values = tuple[Annotated[str, Field(pattern=r"^[^,=\n]+$")], ...]


class Personas(Part):
    """How models are asked to write: each call has one value of each attribute that has some."""

    style: Values = ()
    expertise: Values = ()
    perspective: Values = ()


class Strategies(Part):
    """Where other strategies come in beside new answers to the seeds' prompts, in queries per seed."""

    rephrase_from: float = Field(default=10, ge=0, description="Prompts in other words; half of all at twice as many.")
    new_prompt_from: float = Field(default=100, ge=0, description="New prompts; half of all at twice as many.")

    @model_validator(mode="after")
    def _in_order(self) -> "Strategies":
        if self.new_prompt_from < self.rephrase_from:
            raise ValueError("new_prompt_from is below rephrase_from; new prompts come in last")
        return self
