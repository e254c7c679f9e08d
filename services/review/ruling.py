"""What a person says about a sample, and whether it can be said at all."""

import difflib
from collections.abc import Sequence
from typing import Literal, NamedTuple

from services.review.edit import edited
from services.review.errors import ReviewError
from streams.samples import Sample

REASONS = (  # in the order of the page's digits, from 1
    "factual_error",
    "consistent_but_wrong",
    "culturally_insensitive",
    "domain_violation",
    "off_task",
    "low_quality",
    "unsafe",
    "other",
)
_LONGEST_COMMENT = 10_000


class Ruling(NamedTuple):
    """A person's decision; `reasons` are of a rejection, `text` is the last turn as an edit would have it."""

    decision: Literal["accept", "reject", "edit"]
    reviewer: str
    reasons: tuple[str, ...] = ()
    comment: str = ""
    text: str | None = None


def checked(sample: Sample, ruling: Ruling) -> Ruling:
    """Return the ruling as it is to be written: an edit that changes nothing accepts. Raises ReviewError."""
    if len(ruling.comment) > _LONGEST_COMMENT:
        raise ReviewError(f"The comment is over {_LONGEST_COMMENT:,} characters; shorten it")
    if ruling.decision == "reject":
        _check_reasons(sample.sample_id, ruling.reasons, ruling.comment)
        return ruling._replace(reasons=tuple(dict.fromkeys(ruling.reasons)), text=None)
    if ruling.decision == "edit" and edited(sample, ruling.text or "") is not None:
        return ruling._replace(reasons=())
    return ruling._replace(decision="accept", reasons=(), text=None)


def _check_reasons(sample_id: str, reasons: Sequence[str], comment: str) -> None:
    if not reasons:
        raise ReviewError(f"The rejection of sample {sample_id} has no reason; give at least one")
    for reason in reasons:
        if reason not in REASONS:
            near = difflib.get_close_matches(reason, REASONS, 1)
            hint = f"did you mean `{near[0]}`?" if near else f"give one of {', '.join(REASONS)}"
            raise ReviewError(f"`{reason}` is not a reason; {hint}")
    if "other" in reasons and not comment.strip():
        raise ReviewError(f"The rejection of sample {sample_id} is for another reason; say in a comment which")
