"""A sample and its parts: the text, its lineage, and the verdicts on it; field by field the same as in `schemas/`.

Frozen, so that no stage can change what another will read.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Literal, NamedTuple

Origin = Literal["HUMAN", "HUMAN_EDITED", "SYNTHETIC", "UNKNOWN"]
Strategy = Literal["answer", "rephrase", "new_prompt", "unknown"]
Outcome = Literal["pass", "flag", "fail"]

_SPAN = float(1 << 64)
UNPLANNED = (1 << 31) - 1  # the policy of a sample that no call of a plan made: later than any


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The model and the settings of one call."""

    name: str
    provider: str
    model_id: str
    family: str
    model_generation: int
    temperature: float | None = None
    top_p: float | None = None
    persona: str | None = None
    strategy: Strategy = "unknown"
    prompt_hash: str
    request_key: str
    call_index: int
    policy_version: int = -1
    tokens_in: int = 0
    tokens_out: int = 0
    cost: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipeVersion:
    """Which recipe made the sample."""

    name: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage:
    """Where a sample comes from."""

    origin: Origin
    generation: int
    seed_id: str | None = None
    parent_ids: tuple[str, ...] = ()
    source: Source | None = None
    recipe: RecipeVersion | None = None
    licence: str | None = None
    uri: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One check's judgement of one sample."""

    check: str
    outcome: Outcome
    score: float | None = None
    evidence: Mapping[str, str] = field(default_factory=dict)
    explanation: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One turn of a conversation."""

    role: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One text with its labels and lineage."""

    sample_id: str
    content_hash: str
    task: str
    turns: tuple[Turn, ...]
    label: str | None = None
    answer: str | None = None
    tests: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    lineage: Lineage


class SampleHeader(NamedTuple):
    """What counting and choosing need of an event with a sample; the last four are null without a source."""

    occurred_at: int
    sample_id: str
    origin: Origin
    generation: int
    source: str | None
    family: str | None
    call_index: int | None
    policy_version: int | None

    @property
    def planned(self) -> int:
        """The policy under which the sample's call was planned, as `streams.parts.covered` takes it."""
        return UNPLANNED if self.policy_version is None else self.policy_version


def beginning(sample: Sample, most: int) -> str:
    """Return what all turns say in one line of at most so many characters."""
    text = " ".join(" ".join(turn.text for turn in sample.turns).split())
    return text if len(text) <= most else text[: most - 1] + "…"


def digest(*parts: str | int) -> str:
    """32 hex digits over the parts; lengths go in too, so that ("a", "b") and ("ab",) differ."""
    data = [str(part).encode(errors="surrogatepass") for part in parts]
    return blake2b(b"".join(b"%d:%b" % (len(part), part) for part in data), digest_size=16).hexdigest()


def fraction(*parts: str | int) -> float:
    """Draw a number from 0 up to 1 by the hash of the parts: the same in every run and on every machine."""
    return int(digest(*parts)[:16], 16) / _SPAN


def content_hash(
    task: str,
    turns: Sequence[Turn],
    label: str | None = None,
    answer: str | None = None,
    tests: str | None = None,
) -> str:
    """Name a content: equal contents have equal hashes, and an absent part differs from an empty one."""
    said = [part for turn in turns for part in (turn.role, turn.text)]
    rest = ["" if part is None else f"={part}" for part in (label, answer, tests)]
    return digest(task, len(turns), *said, *rest)
