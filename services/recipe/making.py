"""What a recipe says of the human data and of the models that make candidates from it."""

from hashlib import blake2b
from pathlib import Path
from typing import Literal, get_args

from pydantic import Field, model_validator

from services.recipe.asking import Personas, Strategies
from services.recipe.part import Name, Part, Share
from services.recipe.quotas import Quotas
from services.recipe.served import Served
from services.recipe.spending import Budget

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


class Trained(Part):
    """The fine-tuning cycle, reported to a pipeline on the same Kafka, that a model comes from."""

    pipeline: Name
    cycle: int = Field(ge=0)


class Source(Served):
    """One model that makes candidates."""

    provider: Literal["local", "openai", "anthropic"]
    family: str = Field(description="Training lineage; models of one family echo each other.")
    weight: float = Field(default=1.0, ge=0, description="0: asked only where it is the fall-back of another.")
    temperature: float | None = Field(default=None, ge=0, le=2)
    trained_on: Literal["seed", "mix", "self"] | Trained | None = Field(
        default=None,
        description="local: what it learns from, seed by default. Else the cycle whose generation it has; unset: an "
        "outside base model, whose generation is 0.",
    )
    order: int = Field(default=3, ge=2, le=5, description="local: length of the n-grams.")
    backoff: Share = Field(default=0.0, description="local: share of steps that use one word of context less.")
    own_after: int = Field(default=2_000, ge=2_000, description="self: accepted samples before it first learns them.")
    documents_per_second: float | None = Field(default=None, gt=0, description="local: pace of its answers.")
    top_p: float | None = Field(default=None, gt=0, le=1, description="Not local. Unset: the model's own.")
    max_tokens: int | None = Field(default=None, ge=1, description="Not local. Unset: generate.max_tokens.")
    structured: bool | None = Field(
        default=None,
        description="Not local. Whether answers of several parts are held to a JSON Schema; unset: without a base_url.",
    )
    seconds: float = Field(default=60, gt=0, le=600, description="Not local. How long it may be silent.")
    concurrency: int = Field(
        default=32, ge=1, le=1000, description="Not local. Calls in flight in each slot at most; fewer if it says so."
    )
    budget: Budget = Field(default=Budget(), description="Not local. Of this source alone.")
    fall_back: Name | None = Field(
        default=None,
        description="Not local. Source that answers in its place while it does not; unset: it is waited for.",
    )

    @model_validator(mode="after")
    def _fits_its_provider(self) -> "Source":
        is_local = self.is_local
        if not is_local and not self.model:
            raise ValueError(f"source {self.name} names no model; give its `model`")
        if other := sorted(self.model_fields_set & (_SERVED_ALONE if is_local else _LOCAL_ALONE)):
            raise ValueError(f"source {self.name} has {other[0]}, which provider {self.provider} has not; remove it")
        if is_local and self.temperature == 0:
            raise ValueError(f"source {self.name} of provider local has temperature 0; give it more")
        if self.trained_on is not None and isinstance(self.trained_on, Trained) == is_local:
            known = "seed, mix or self" if is_local else "{pipeline, cycle}, or nothing for an outside base model"
            raise ValueError(f"source {self.name} of provider {self.provider} is trained on {known}; change trained_on")
        return self

    @property
    def is_local(self) -> bool:
        """Whether its model learns here and is not asked but goes on from a seed's words."""
        return self.provider == "local"

    @property
    def declared(self) -> str:
        """Hash of what makes it another model: all but how it is reached, its pace, its price and its weight."""
        told = self.model_dump_json(exclude=_NO_OTHER_MODEL)
        return blake2b(told.encode(), digest_size=8).hexdigest()


_LOCAL_ALONE = {"order", "backoff", "own_after", "documents_per_second"}
_SERVED_ALONE = {
    "base_url", "api_key_variable", "price", "seconds", "max_tokens", "top_p", "structured", "concurrency", "budget",
    "fall_back",
}  # fmt: skip
_NO_OTHER_MODEL = {
    "weight", "documents_per_second", "api_key_variable", "price", "seconds", "concurrency", "budget", "fall_back",
}  # fmt: skip


class Generate(Part):
    """How many candidates, and how varied; local models only continue the seeds."""

    target: int = Field(ge=1, description="Accepted samples wanted; what a policy holds or drops is none.")
    over_generate: float = Field(default=4, ge=1, le=100, description="Candidates at most, as a multiple of target.")
    quotas: Quotas | None = Field(default=None, description="How target is divided; null: as the seeds are.")
    temperature: tuple[float, float] | None = Field(
        default=None,
        description="Range of five steps; null: 0.2 to 0.6 for math, code and classification, else 0.7 to 1.1.",
    )
    strategies: Strategies = Strategies()
    personas: Literal["default", "none"] | Personas = "default"
    budget: Budget = Field(default=Budget(), description="Of all paid sources together; judges have verify.budget.")
    prompts: Path | None = Field(default=None, description="Folder of TASK_STRATEGY.jinja; null: ours.")
    slots: int = Field(default=1, ge=1, le=64)
    in_flight: int = Field(default=5_000, ge=1, description="Stop while unverified and unmixed exceed this.")
    max_tokens: int = Field(default=120, ge=1)

    @model_validator(mode="after")
    def _quotas_are_the_target(self) -> "Generate":
        if self.quotas is not None and (total := sum(self.quotas.targets.values())) != self.target:
            raise ValueError(f"the quotas sum up to {total} and target is {self.target}; make them the same")
        return self
