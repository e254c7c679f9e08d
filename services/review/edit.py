"""A person's edit: a new sample with another last turn, whose parent is the candidate."""

from dataclasses import replace

from services.review.errors import ReviewError
from streams.samples import Lineage, Sample, content_hash, digest

LONGEST = 200_000  # characters, as of what is taken in


def edited(sample: Sample, text: str) -> Sample | None:
    """Return the sample that an edit makes of a candidate, or None if it changes nothing; raises ReviewError.

    The same edit of the same candidate has the same id again.
    """
    new = _plain(text)
    if not sample.turns or not new.strip():
        raise ReviewError(f"The edit of sample {sample.sample_id} leaves no text; reject the sample instead")
    if len(new) > LONGEST:
        raise ReviewError(f"The edit of sample {sample.sample_id} is over {LONGEST:,} characters; shorten it")
    *before, last = sample.turns
    if new == _plain(last.text):
        return None
    turns = (*before, replace(last, text=new))
    content = content_hash(sample.task, turns, sample.label, sample.answer, sample.tests)
    return replace(
        sample,
        sample_id=digest("edited", sample.sample_id, content),
        content_hash=content,
        turns=turns,
        lineage=_lineage(sample),
    )


def _lineage(candidate: Sample) -> Lineage:
    """Return the lineage: the source stays, so that what holds for its samples holds for what is made of them."""
    source = candidate.lineage.source
    deepest = max(candidate.lineage.generation, source.model_generation if source else 0)
    return replace(candidate.lineage, origin="HUMAN_EDITED", generation=1 + deepest, parent_ids=(candidate.sample_id,))


def _plain(text: str) -> str:
    """Return a text without what a form adds: its line ends, and white space at the end."""
    return text.replace("\r\n", "\n").replace("\r", "\n").rstrip()
