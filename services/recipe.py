"""The recipe: what a pipeline does, one YAML file; where it runs and what is secret lies in the environment.

Unknown keys are errors with a suggestion: a misspelt cap must never be a cap that does not hold.
"""

import difflib
from hashlib import blake2b
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from services.errors import InputError
from services.groups import RESERVED

Share = Annotated[float, Field(ge=0, le=1)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]


class RecipeError(InputError):
    """The recipe can't be used; nothing was started."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Seeds(_Part):
    """Where the human data lies and what its fields are called."""

    reader: Literal["jsonl", "parquet", "csv", "text", "package"] = "text"
    path: str
    columns: dict[str, str] = Field(default_factory=dict, description="Our field -> the file's column.")
    licence: str = Field(description="Licence of the data, carried on every sample.")
    origin: Literal["HUMAN", "HUMAN_EDITED", "SYNTHETIC", "UNKNOWN"] = "HUMAN"
    domain: str | None = Field(default=None, description="Stratum of all samples; a column named domain wins.")
    words: int = Field(default=80, ge=1, description="Words of one document of plain text.")


class Split(_Part):
    """Shares of the human data that are not trained on."""

    reference: Share = 0.3
    holdout: Share = 0.1

    @model_validator(mode="after")
    def _leaves_seeds(self) -> "Split":
        if self.reference + self.holdout >= 1:
            raise ValueError("reference and holdout leave nothing to train on; their sum must be below 1")
        return self


class Source(_Part):
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


class Generate(_Part):
    """How many candidates, and how varied."""

    target: int = Field(ge=1, description="Accepted samples wanted; what a policy holds or drops is none.")
    over_generate: float = Field(default=4, ge=1, le=100, description="Candidates at most, as a multiple of target.")
    temperature: tuple[float, float] = (0.7, 1.1)
    slots: int = Field(default=1, ge=1, le=64)
    concurrency: int = Field(default=8, ge=1, le=1000, description="Calls in flight in each slot.")
    in_flight: int = Field(default=5_000, ge=1, description="Stop while unverified and unmixed exceed this.")
    max_tokens: int = Field(default=120, ge=1)


class Price(_Part):
    """Dollars per million tokens."""

    input: float = Field(ge=0)
    output: float = Field(ge=0)


class Judge(_Part):
    """One model that judges candidates of other families."""

    name: Name
    provider: Literal["openai", "anthropic"]
    model: str | None = None
    family: str = Field(description="Training lineage; a judge never sees candidates of its own family.")
    base_url: str | None = Field(default=None, pattern=r"^https?://[^@\s]+$", description="A compatible server.")
    api_key_variable: str | None = Field(
        default=None, pattern=r"^[A-Z][A-Z0-9_]*$", description="Variable of the key, if it is not the vendor's usual."
    )
    price: Price | None = Field(default=None, description="Unset: what it costs is unknown.")
    temperature: float | None = Field(default=None, ge=0, le=2, description="Unset: the model's own.")
    max_tokens: int = Field(default=1_000, ge=100, description="Of one answer, with what the model thinks before it.")
    seconds: float = Field(
        default=14, gt=0, le=27, description="How long it may be silent; a batch takes 4 times that."
    )

    @model_validator(mode="after")
    def _has_model(self) -> "Judge":
        if not self.model:
            raise ValueError(f"judge {self.name} names no model; give its `model`")
        return self


Check = Literal[
    "format",
    "depth",
    "truncation",
    "refusal",
    "leak",
    "repetition",
    "privacy",
    "language",
    "duplicate",
    "contamination",
    "consistency",
    "math",
    "unsafe",
    "code",
    "judge",
    "local_judge",
]


class Verify(_Part):
    """Which checks, and how strict."""

    checks: tuple[Check, ...] = Field(
        default=tuple(check for check in get_args(Check) if check != "local_judge"),
        description="code runs programs, for the task code alone; consistency is surprisal, length, distance and "
        "labels, against human documents, and only flags; judge asks verify.judges; local_judge is off by default.",
    )
    slots: int = Field(default=1, ge=1, le=64)
    audit_share: Share = 0.02
    audit_expires_hours: float = Field(default=168, gt=0)
    max_generation: int = Field(default=2, ge=1)
    near_duplicate: Share = Field(default=0.8, description="Jaccard similarity of word shingles from which on.")
    contamination: Share = Field(default=0.2, description="Share of a candidate's 8-grams found in holdout.")
    false_flag: float = Field(
        default=0.01, gt=0, le=0.5, description="Share of human documents that consistency flags, its checks together."
    )
    min_words: int = Field(default=3, ge=0)
    max_words: int = Field(default=4_000, ge=1)
    sandbox: Literal["bubblewrap", "process"] = Field(
        default="bubblewrap", description="code: what holds programs; process stops none that means harm."
    )
    languages: tuple[Annotated[str, Field(pattern=r"^[a-z]{2,3}$")], ...] | None = Field(
        default=None, min_length=1, description="ISO 639-1 codes; null: those of 1 % of the seeds."
    )
    json_schema: dict[str, Any] | None = Field(default=None, description="The last turn must be JSON of this schema.")
    judges: tuple[Judge, ...] = ()
    votes: int = Field(default=1, ge=1, le=9, description="Judges that each candidate is shown to.")
    judge_floor: int = Field(default=3, ge=2, le=5, description="A score of 1 to 5 below this flags.")
    concurrency: int = Field(default=8, ge=1, le=250, description="Calls of judges in flight in each slot.")

    @model_validator(mode="after")
    def _judges_are_asked(self) -> "Verify":
        if self.judges and "judge" not in self.checks:
            raise ValueError("judges are named and never asked; add judge to verify.checks")
        return self


class Review(_Part):
    """How people decide about what waits for them."""

    port: int | None = Field(default=None, ge=1, le=65_535, description="Port of the page; without it none is served.")
    overlap: int = Field(default=2, ge=1, le=9, description="Blind decisions that a sample of the overlap needs.")
    overlap_share: Share = Field(default=0.1, description="Share of samples that need `overlap` decisions.")
    lease_minutes: float = Field(default=10, gt=0, description="How long a sample is one reviewer's alone.")
    undo_seconds: float = Field(default=10, ge=0, description="How long a decision can be taken back.")
    guidelines: Path | None = Field(default=None, description="Text for the reviewers, shown beside each sample.")


class Mix(_Part):
    """The training batches and their synthetic cap."""

    batch: int = Field(default=256, ge=1, le=65_536)
    max_synthetic_share: Share = Field(default=0.3, description="Synthetic / all; 0.3 is a ratio of 0.43 to 1.")
    max_family_share: Share = 0.5
    floor: Share = 0.05
    max_wait_seconds: float = Field(default=30, gt=0)
    ahead: int = Field(default=64, ge=1, description="Batches that may wait for the slowest trainer.")


class Monitor(_Part):
    """What is measured, and what is done about it."""

    engine: Literal["faust", "processor"] = Field(default="faust", description="What carries the monitor's state.")
    slots: int = Field(default=1, ge=1, le=2, description="2: the second is a hot standby.")
    sketch_slots: int = Field(default=1, ge=1, le=64, description="Processes that turn samples into numbers.")
    window: int = Field(
        default=1000,
        ge=100,
        le=20_000,
        description="Documents of a window; fewer if the reference has less than 12 times as many.",
    )
    target_excess: float = Field(default=1.0, gt=0, description="Where the share settles, in tolerances.")
    documents_between_false_alarms: float = Field(default=25_000_000, ge=25_000)
    embeddings: int = Field(
        default=0, ge=0, le=25, description="Documents of each 25 that get a sentence vector; 0 needs no extra."
    )
    probation_after_seconds: float = Field(default=3600, gt=0, description="When a quarantined source is asked again.")


class Evaluate(_Part):
    """Where trainers report their scores by HTTP."""

    port: int = Field(ge=1, le=65_535, description="Port of `POST /scores`, on 127.0.0.1 by default.")


class Recipe(_Part):
    """Everything that a pipeline does."""

    pipeline: Name = "ballast"
    task: str = "text"
    seeds: Seeds
    split: Split = Split()
    sources: tuple[Source, ...] = ()
    generate: Generate
    verify: Verify = Verify()
    review: Review = Review()
    mix: Mix = Mix()
    monitor: Monitor = Monitor()
    evaluate: Evaluate | None = Field(default=None, description="Takes scores by HTTP; without it nothing listens.")

    @model_validator(mode="after")
    def _names_differ(self) -> "Recipe":
        names = [*(source.name for source in self.sources), *(judge.name for judge in self.verify.judges)]
        if twice := [name for name in names if names.count(name) > 1]:
            raise ValueError(f"two models are called {twice[0]}; give each a name of its own")
        if taken := [name for name in names if name in RESERVED]:
            raise ValueError(f"a source can't be called {taken[0]}, which means something else; give it another name")
        return self

    @model_validator(mode="after")
    def _judges_are_of_another_family(self) -> "Recipe":
        votes = self.verify.votes if self.verify.judges else 0
        for source in self.sources:
            others = [judge for judge in self.verify.judges if judge.family.casefold() != source.family.casefold()]
            if len(others) < votes:
                raise ValueError(
                    f"source {source.name} of family {source.family} has {len(others)} judges of another family and "
                    f"verify.votes asks for {votes}; add a judge of another family"
                )
        if len(self.verify.judges) < votes:
            raise ValueError(f"verify.votes asks for {votes} judges and there are {len(self.verify.judges)}; add some")
        return self

    @property
    def version(self) -> str:
        """Hash of the content: two recipes that say the same have the same version."""
        return blake2b(self.model_dump_json().encode(), digest_size=8).hexdigest()


def load(path: Path) -> Recipe:
    """Read and check a recipe; raises RecipeError with one sentence that says what, where and what to do."""
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RecipeError(
            f"The recipe {path} cannot be read ({error.strerror}); give the path of a YAML file"
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        where = f" in line {mark.line + 1}" if (mark := getattr(error, "problem_mark", None)) else ""
        raise RecipeError(f"The recipe {path} is no YAML{where}; mend it there") from error
    if not isinstance(data, dict):
        raise RecipeError(f"The recipe {path} is no mapping; begin with `pipeline: name`")
    return parse(data, str(path))


def parse(data: dict[str, Any], where: str) -> Recipe:
    """Check the content of a recipe; `where` names it in the error."""
    try:
        return Recipe.model_validate(data)
    except ValidationError as error:
        raise RecipeError(f"The recipe {where}: {_told(error)}") from None


def _told(error: ValidationError) -> str:
    errors = error.errors(include_url=False)
    misspelt = (each for each in errors if each["type"] == "extra_forbidden")  # often why another key is missing
    first = next(misspelt, errors[0])
    place = ".".join(str(part) for part in first["loc"]) or "the whole"
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    if first["type"] == "extra_forbidden":
        key = str(first["loc"][-1])
        near = difflib.get_close_matches(key, _keys_beside(first["loc"]), 1)
        hint = f"did you mean `{near[0]}`?" if near else "remove it"
        return f"`{place}` is not a key of a recipe; {hint}{more}"
    return f"`{place}`: {first['msg'].removeprefix('Value error, ')}{more}"


def _keys_beside(place: tuple[int | str, ...]) -> list[str]:
    model: type[BaseModel] = Recipe
    for part in place[:-1]:
        if isinstance(part, str):
            model = _model_of(model.model_fields[part].annotation) or model
    return list(model.model_fields)


def _model_of(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for arm in getattr(annotation, "__args__", ()) if (found := _model_of(arm))), None)
