"""The plays as verification sees them: an artefact fitted on some, seeds, and documents that nothing is fitted on."""

from collections.abc import Sequence
from functools import cache

from stats_texts import documents as plays

from services import artefact as fitted
from services.artefact import Artefact
from services.verify.consistency import Consistency, fit
from streams.samples import Lineage, Sample, Turn, digest

_PLACES = {"fit": (0, 600), "seeds": (600, 3_000), "others": (3_000, 10_381)}


def document(text: str, key: object, **told: str) -> Sample:
    """Return a human document; `told` are its tags."""
    return Sample(
        sample_id=digest(str(key)),
        content_hash=digest(text),
        task="text",
        turns=(Turn(role="document", text=text),),
        tags=told,
        lineage=Lineage(origin="HUMAN", generation=0),
    )


@cache
def texts(part: str) -> tuple[str, ...]:
    start, end = _PLACES[part]
    return plays()[start:end]


@cache
def samples(part: str) -> tuple[Sample, ...]:
    return tuple(document(text, f"{part}{number}") for number, text in enumerate(texts(part)))


@cache
def artefact() -> Artefact:
    return fitted.build(1, samples("fit"))


def fitted_on(checks: Sequence[Sample], false_flag: float = 0.01) -> Consistency:
    return fit(artefact(), checks, samples("seeds"), false_flag)
