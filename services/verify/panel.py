"""Which judges a candidate is shown to: never one of its own family, for models of one family share their blind spots.

By rendezvous hashing of its id: the same ones after every restart, spread evenly, and few change where a judge does.
"""

from collections.abc import Sequence

from services.recipe import Judge
from streams.samples import Sample, digest


def panel(sample: Sample, judges: Sequence[Judge], votes: int) -> list[Judge]:
    """Return `votes` judges, or as many as there are of other families."""
    source = sample.lineage.source
    others = eligible(source.family if source is not None else None, judges)
    return sorted(others, key=lambda judge: digest("judge", sample.sample_id, judge.name))[:votes]


def eligible(family: str | None, judges: Sequence[Judge]) -> list[Judge]:
    """Return the judges that a candidate of a family may be shown to."""
    own = family.casefold() if family is not None else None
    return [judge for judge in judges if judge.family.casefold() != own]
