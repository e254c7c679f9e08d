"""What human data has to be fit to be trained on: whole characters, nobody's personal data, no model's work."""

from collections.abc import Collection

from services.faults.damage import damage
from services.faults.model_marks import model_mark
from services.faults.personal import personal
from services.ingest.errors import UnfitError
from services.recipe import Hygiene
from streams.samples import Sample


def check(sample: Sample, wanted: Collection[Hygiene]) -> None:
    """Raise UnfitError for a sample that no pool may have."""
    if "damage" in wanted:
        for number, turn in enumerate(sample.turns):
            if hurt := damage(turn.text):
                raise UnfitError(f"turn {number} holds {hurt[1]} at character {hurt[2]}")
    if "personal" in wanted and (fault := personal(sample)):
        raise UnfitError(_lower(fault.explanation))


def mark(sample: Sample, wanted: Collection[Hygiene]) -> str | None:
    """Return what shows that a model wrote a sample; None where nothing does."""
    if "model_marks" not in wanted or (fault := model_mark(sample)) is None:
        return None
    return f"{_lower(fault.explanation)}: {fault.evidence['text']}"


def _lower(sentence: str) -> str:
    return sentence[0].lower() + sentence[1:].rstrip(".")
