"""Answers of models that lack a part that was asked for: the sample made of one says so in a tag."""

from services.faults.fault import Fault
from streams.samples import Sample

UNREAD = "unread"
_LONGEST = 200


def unread(sample: Sample) -> Fault | None:
    """Return why the answer that the sample was made of could not be read."""
    why = sample.tags.get(UNREAD)
    return (
        None if why is None else Fault({UNREAD: why[:_LONGEST]}, f"The model's answer can't be read: {why[:_LONGEST]}.")
    )
