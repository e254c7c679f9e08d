"""What a recipe says of the human data and of the models that make candidates from it."""

from hashlib import blake2b
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from services.recipe.part import Name, Part, Share


class Seeds(Part):
    """Where the human data lies and what its fields are called."""

    reader: Literal["jsonl", "parquet", "csv", "text", "package"] = "text"
    path: str
    columns: dict[str, str] = Field(default_factory=dict, description="Our field -> the file's column.")
    licence: str = Field(description="Licence of the data, carried on every sample.")
    origin: Literal["HUMAN", "HUMAN_EDITED", "SYNTHETIC", "UNKNOWN"] = "HUMAN"
    domain: str | None = Field(default=None, description="Stratum of all samples; a column named domain wins.")
    words: int = Field(default=80, ge=1, description="Words of one document of plain text.")


class Split(Part):
    """Shares of the human data that are not trained on."""

    reference: Share = 0.3
    holdout: Share = 0.1

    @model_validator(mode="after")
    def _leaves_seeds(self) -> "Split":
        if self.reference + self.holdout >= 1:
            raise ValueError("reference and holdout leave nothing to train on; their sum must be below 1")
        return self


class Source(Part):
    """One model that makes candidates."""

    name: Name
    provider: Literal["local"]
    family: str = Field(description="Training lineage; models of one family echo each other.")
    model: str | None = None
    weight: float = Field(default=1.0, ge=0)
    order: int = Field(default=3, ge=2, le=5, description="local: length of the n-grams.")
    backoff: Share = Field(default=0.0, description="local: share of steps that use one word of context less.")
    trained_on: Literal["seed", "mix", "self"] = Field(default="seed", description="local: what it learns from.")
    own_after: int = Field(default=2_000, ge=2_000, description="self: accepted samples before it first learns them.")
    temperature: float | None = Field(default=None, gt=0, le=2)
    documents_per_second: float | None = Field(default=None, gt=0, description="local: pace of its answers.")

    @property
    def declared(self) -> str:
        """Hash of what makes it another model: all but the pace and the weight."""
        told = self.model_dump_json(exclude={"weight", "documents_per_second"})
        return blake2b(told.encode(), digest_size=8).hexdigest()


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


class Generate(Part):
    """How many candidates, and how varied; local models only continue the seeds."""

    target: int = Field(ge=1, description="Accepted samples wanted; what a policy holds or drops is none.")
    over_generate: float = Field(default=4, ge=1, le=100, description="Candidates at most, as a multiple of target.")
    temperature: tuple[float, float] | None = Field(
        default=None,
        description="Range of five steps; null: 0.2 to 0.6 for math, code and classification, else 0.7 to 1.1.",
    )
    strategies: Strategies = Strategies()
    personas: Literal["default", "none"] | Personas = "default"
    prompts: Path | None = Field(default=None, description="Folder of TASK_STRATEGY.jinja; null: ours.")
    slots: int = Field(default=1, ge=1, le=64)
    concurrency: int = Field(default=8, ge=1, le=1000, description="Calls in flight in each slot.")
    in_flight: int = Field(default=5_000, ge=1, description="Stop while unverified and unmixed exceed this.")
    max_tokens: int = Field(default=120, ge=1)
