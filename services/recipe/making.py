"""What a recipe says of the human data and of the models that make candidates from it."""

from hashlib import blake2b
from typing import Literal, get_args

from pydantic import Field, model_validator

from services.recipe.part import Name, Part, Share

Hygiene = Literal["damage", "personal", "model_marks", "near_duplicate"]


class Seeds(Part):
    """Where the human data lies and what its fields are called."""

    reader: Literal["jsonl", "parquet", "csv", "text", "package"] = "text"
    path: str
    columns: dict[str, str] = Field(default_factory=dict, description="Our field -> the file's column.")
    licence: str = Field(description="Licence of the data, carried on every sample.")
    origin: Literal["HUMAN", "HUMAN_EDITED", "SYNTHETIC", "UNKNOWN"] = "HUMAN"
    domain: str | None = Field(default=None, description="Stratum of all samples; a column named domain wins.")
    hygiene: tuple[Hygiene, ...] = Field(
        default=get_args(Hygiene),
        description="What human data is held to: damaged or personal text is set aside, a text with a model's marks "
        "becomes a candidate, one that nearly repeats another (verify.near_duplicate) is left out.",
    )
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


class Generate(Part):
    """How many candidates, and how varied."""

    target: int = Field(ge=1, description="Accepted samples wanted; what a policy holds or drops is none.")
    over_generate: float = Field(default=4, ge=1, le=100, description="Candidates at most, as a multiple of target.")
    temperature: tuple[float, float] = (0.7, 1.1)
    slots: int = Field(default=1, ge=1, le=64)
    concurrency: int = Field(default=8, ge=1, le=1000, description="Calls in flight in each slot.")
    in_flight: int = Field(default=5_000, ge=1, description="Stop while unverified and unmixed exceed this.")
    max_tokens: int = Field(default=120, ge=1)
