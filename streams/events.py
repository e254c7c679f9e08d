"""Every event, one frozen class each; field by field the same as the files in `schemas/`.

The schema's `doc` says what a field means; a test holds names, order and defaults of both sides together.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from streams.parts import Choice, Content, DrawCursor, SourceRange, Statistic
from streams.samples import Outcome, Sample, Source, Turn, Verdict, digest

Pool = Literal["seed", "reference", "holdout", "unknown"]
ReferencePart = Literal["none", "fit", "calibrate", "checks"]
ReviewReason = Literal["flagged", "audit", "rare", "unknown"]
Decision = Literal["accept", "reject", "edit", "skip", "expire", "unknown"]
Decider = Literal["verify", "review", "unknown"]
AlarmKind = Literal["none", "change", "shift", "verification_narrows", "unknown"]
ModelVerdict = Literal["none", "steady", "regressed", "collapse", "unknown"]
DeadReason = Literal["decode", "handle", "input", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleIngested:
    """A human sample has entered a pool."""

    event_id: str
    occurred_at: int
    pool: Pool
    part: ReferencePart = "none"
    sample: Sample


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleGenerated:
    """A candidate exists."""

    event_id: str
    occurred_at: int
    call_index: int | None = None
    choice: int = 0
    sample: Sample


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewRequested:
    """A person is asked to decide."""

    event_id: str
    occurred_at: int
    reason: ReviewReason
    automatic: Outcome = "flag"
    expires_at: int | None = None
    inclusion_probability: float = 0.0
    audited: bool = False
    verdicts: tuple[Verdict, ...] = ()
    nearest_id: str | None = None
    nearest_text: str | None = None
    sample: Sample


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewSubmitted:
    """A person, or the expiry, has decided."""

    event_id: str
    occurred_at: int
    sample_id: str
    reviewer: str
    revision: int = 0
    decision: Decision
    reasons: tuple[str, ...] = ()
    comment: str = ""
    edited_sample_id: str | None = None
    automatic: Outcome = "flag"
    inclusion_probability: float = 0.0
    audited: bool = False
    settles: bool = True
    blind: bool = False
    edited_text: str | None = None
    judge_lowest: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleVerified:
    """A candidate is accepted."""

    event_id: str
    occurred_at: int
    decided_by: Decider = "unknown"
    inclusion_probability: float = 0.0
    audited: bool = False
    verdicts: tuple[Verdict, ...] = ()
    sample: Sample


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleRejected:
    """A candidate is rejected: a good event about a bad sample."""

    event_id: str
    occurred_at: int
    reasons: tuple[str, ...]
    decided_by: Decider = "unknown"
    inclusion_probability: float = 0.0
    audited: bool = False
    verdicts: tuple[Verdict, ...] = ()
    sample: Sample


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleMixed:
    """A sample has its place in a training batch. The fields before `sample` are the batch's manifest."""

    event_id: str
    occurred_at: int
    batch_index: int
    position: int
    batch_size: int
    epoch: int
    cut: tuple[int, ...]
    next_real: int
    alpha: float
    recipe_cap: float
    policy_version: int
    synthetic: bool
    synthetic_total: int
    source_topic: str
    source_partition: int
    source_offset: int
    cursor: tuple[DrawCursor, ...] = ()
    sample: Sample


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationCompleted:
    """A model has been scored on one set."""

    event_id: str
    occurred_at: int
    run_id: str
    cycle: int
    model_id: str
    set_name: str
    loss: float
    metrics: Mapping[str, float] = field(default_factory=dict)
    documents: int
    trained_to_batch: int | None = None
    largest_generation: int | None = None
    evaluator: str = ""
    verdict: ModelVerdict = "none"
    document_ids: bytes | None = None
    losses: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchSketched:
    """Mergeable summaries of a stretch of one partition."""

    event_id: str
    occurred_at: int
    source_topic: str
    source_partition: int
    from_position: int
    to_position: int
    documents: int
    artefact_hash: str
    reference_version: int
    groups: Mapping[str, bytes]
    open_cells: Mapping[str, bytes] = field(default_factory=dict)
    rejected: Mapping[str, int] = field(default_factory=dict)
    rejected_surprisal: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class CollapseMeasured:
    """The statistics of one group over one window."""

    event_id: str
    occurred_at: int
    group: str
    window: int
    documents: int
    left_out: int = 0
    last_offset: int
    statistics: tuple[Statistic, ...]
    alarm: str | None = None
    alarm_kind: AlarmKind = "none"
    artefact_hash: str = ""
    reference_version: int = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class MixPolicySet:
    """The mixture's limits from now on."""

    event_id: str
    occurred_at: int
    version: int
    alpha: float
    expires_at: int | None = None
    set_by: str
    reason: str
    weights: Mapping[str, float] = field(default_factory=dict)
    held: tuple[SourceRange, ...] = ()
    dropped: tuple[SourceRange, ...] = ()
    regenerate: tuple[str, ...] = ()
    neglected: tuple[int, ...] = ()
    reference_version: int = 0
    reference_end: tuple[int, ...] = ()
    seed_end: tuple[int, ...] = ()
    inputs: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelAnswered:
    """A model call: first that it was started, then its answer, stored before it is used, or a refused one's bill."""

    event_id: str
    occurred_at: int
    request_key: str
    purpose: str
    call_index: int
    slot: int
    source: Source
    seed_id: str | None = None
    parent_ids: tuple[str, ...] = ()
    parent_generation: int = 0
    task: str
    tags: Mapping[str, str] = field(default_factory=dict)
    prompt: tuple[Turn, ...]
    seed: Content | None = None
    choices: tuple[Choice, ...]
    attempt: int = 1
    asked_at: int
    worst_tokens: int = 0
    worst_cost: float | None = None
    is_rare: bool = False
    unbilled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaPublished:
    """A writer's schema, whole. This schema itself never changes, so that every reader can read it."""

    event_id: str
    occurred_at: int
    fingerprint: str
    word: str
    schema: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """An event that a stage could not handle, with its original bytes."""

    event_id: str
    occurred_at: int
    stage: str
    reason: DeadReason
    error: str
    explanation: str
    source_topic: str
    source_partition: int
    source_offset: int
    key: bytes | None = None
    value: bytes | None = None
    call_index: int | None = None


Event = (
    SampleIngested
    | SampleGenerated
    | ReviewRequested
    | ReviewSubmitted
    | SampleVerified
    | SampleRejected
    | SampleMixed
    | EvaluationCompleted
    | BatchSketched
    | CollapseMeasured
    | MixPolicySet
    | ModelAnswered
    | SchemaPublished
    | DeadLetter
)


def event_id(event: type, *key: str | int) -> str:
    """Name a fact by event class and natural key, so that a redo repeats the id."""
    return digest(event.__name__, *key)
