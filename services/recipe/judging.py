"""What a recipe says of the checks, the judges and the people that candidates have to pass."""

from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, field_validator, model_validator

from services.patterns import fault
from services.recipe.part import Part, Share
from services.recipe.served import Served
from services.recipe.spending import Budget


class Judge(Served):
    """One model that judges candidates of other families."""

    provider: Literal["openai", "anthropic"]
    family: str = Field(description="Training lineage; a judge never sees candidates of its own family.")
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
    "label",
    "truncation",
    "refusal",
    "leak",
    "repetition",
    "privacy",
    "language",
    "duplicate",
    "novelty",
    "contamination",
    "consistency",
    "math",
    "unsafe",
    "code",
    "judge",
    "local_judge",
    "semantic",
    "presidio",
]
OPTIONAL: tuple[Check, ...] = ("local_judge", "semantic", "presidio")


class LabelRule(Part):
    """What the text of a label must match, or must not."""

    label: str
    pattern: str = Field(
        min_length=1, max_length=1_000, description="RE2, to match anywhere; no text makes it run away. (?i), (?s)."
    )
    field: Literal["text", "last"] = Field(default="text", description="All turns but the system's, or the last one.")
    must: Literal["match", "not_match"] = "match"

    @field_validator("pattern")
    @classmethod
    def _is_one(cls, pattern: str) -> str:
        if why := fault(pattern):
            raise ValueError(f"this is no regular expression as RE2 has them ({why}); mend it there")
        return pattern


class LabelRules(Part):
    """What labels have to be like; the check `label` holds candidates that have one to it."""

    allowed: tuple[str, ...] | None = Field(
        default=None, min_length=1, description="null: any; consistency flags one that no human document has."
    )
    rules: tuple[LabelRule, ...] = ()

    @model_validator(mode="after")
    def _rules_can_apply(self) -> "LabelRules":
        for number, rule in enumerate(self.rules):
            if self.allowed is not None and rule.label not in self.allowed:
                raise ValueError(f"rule {number} is for {rule.label}, which is not in `allowed`; add it there")
        return self


class Verify(Part):
    """Which checks, and how strict."""

    checks: tuple[Check, ...] = Field(
        default=tuple(check for check in get_args(Check) if check not in OPTIONAL),
        description="code runs programs, for the task code alone; consistency is surprisal, length, distance, "
        "labels and classifier, against human documents, and only flags; judge asks verify.judges; local_judge, "
        "semantic and presidio are off by default.",
    )
    slots: int = Field(default=1, ge=1, le=64)
    audit_share: Share = 0.02
    rare_share: Share = Field(
        default=0.02, description="Of what passes and is like few human documents; people see it. Needs consistency."
    )
    audit_expires_hours: float = Field(default=168, gt=0)
    max_generation: int = Field(default=2, ge=1)
    near_duplicate: Share = Field(default=0.8, description="Jaccard similarity of word shingles from which on.")
    contamination: Share = Field(default=0.2, description="Share of a candidate's 8-grams found in holdout.")
    false_flag: float = Field(
        default=0.01, gt=0, le=0.5, description="Share of human documents that consistency flags, its checks together."
    )
    semantic_false_flag: float = Field(
        default=0.01, gt=0, le=0.5, description="Share of human documents that semantic flags."
    )
    presidio_score: Share = Field(default=0.6, description="Score of Presidio's recognizers from which presidio fails.")
    presidio_model: str | None = Field(
        default=None,
        pattern=r"^[a-z][a-z0-9_]*$",
        description="presidio: an installed spaCy pipeline for the base forms of words; null: words in lower case.",
    )
    min_words: int = Field(default=3, ge=0)
    max_words: int = Field(default=4_000, ge=1)
    sandbox: Literal["bubblewrap", "process"] = Field(
        default="bubblewrap", description="code: what holds programs; process stops none that means harm."
    )
    languages: tuple[Annotated[str, Field(pattern=r"^[a-z]{2,3}$")], ...] | None = Field(
        default=None, min_length=1, description="ISO 639-1 codes; null: those of 1 % of the seeds."
    )
    labels: LabelRules = LabelRules()
    json_schema: dict[str, Any] | None = Field(default=None, description="The last turn must be JSON of this schema.")
    judges: tuple[Judge, ...] = ()
    votes: int = Field(default=1, ge=1, le=9, description="Judges that each candidate is shown to.")
    judge_floor: int = Field(
        default=3, ge=2, le=5, description="A score of 1 to 5 below this flags, until people's decisions show a better."
    )
    budget: Budget = Field(
        default=Budget(),
        description="Of all judges together; what they can't be asked for any more waits for a person.",
    )
    concurrency: int = Field(default=8, ge=1, le=250, description="Calls of judges in flight in each slot.")

    @model_validator(mode="after")
    def _judges_are_asked(self) -> "Verify":
        if self.judges and "judge" not in self.checks:
            raise ValueError("judges are named and never asked; add judge to verify.checks")
        return self


class Review(Part):
    """How people decide about what waits for them."""

    port: int | None = Field(default=None, ge=1, le=65_535, description="Port of the page; without it none is served.")
    overlap: int = Field(default=2, ge=1, le=9, description="Blind decisions that a sample of the overlap needs.")
    overlap_share: Share = Field(default=0.1, description="Share of samples that need `overlap` decisions.")
    lease_minutes: float = Field(default=10, gt=0, description="How long a sample is one reviewer's alone.")
    undo_seconds: float = Field(default=10, ge=0, description="How long a decision can be taken back.")
    guidelines: Path | None = Field(default=None, description="Text for the reviewers, shown beside each sample.")
