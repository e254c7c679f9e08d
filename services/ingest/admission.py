"""Makes samples of rows: cleaned, named by their content, with where they come from; or says why a row is none."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, get_args

from services.ingest import fields
from services.ingest.cleaning import clean, clean_document
from services.ingest.errors import UnfitError
from services.ingest.rows import Row
from services.recipe import Recipe
from streams.samples import Lineage, Origin, RecipeVersion, Sample, Turn, content_hash, digest

LARGEST = 200_000
_ORIGINS: tuple[Origin, ...] = get_args(Origin)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What holds for every row of a recipe; `columns` are the files' columns by our names."""

    task: str
    columns: Mapping[str, str]
    origin: Origin
    licence: str
    deepest: int
    recipe: RecipeVersion


def terms(recipe: Recipe) -> Terms:
    """Return the terms of a recipe; raises IngestError for a field that no sample has."""
    return Terms(
        task=recipe.task,
        columns=fields.columns(recipe.seeds.columns),
        origin=recipe.seeds.origin,
        licence=recipe.seeds.licence,
        deepest=recipe.verify.max_generation,
        recipe=RecipeVersion(name=recipe.pipeline, version=recipe.version),
    )


def admit(row: Row, domain: str | None, terms: Terms) -> Sample:
    """Return the row's sample; raises UnfitError with the reason. The same content gives the same sample_id again."""
    values = {field: row.values[column] for field, column in terms.columns.items() if column in row.values}
    fields.complete(terms.task, values)
    turns = _turns(values, terms.task)
    label, answer = _line(values, "label"), _whole(fields.scalar("answer", values.get("answer")))
    tests = _whole(fields.program(values.get("tests")))
    content = content_hash(terms.task, turns, label, answer, tests)
    lineage = _lineage(values, row, terms)
    sample = Sample(
        sample_id=content if lineage.origin == "HUMAN" else _candidate_id(content),
        content_hash=content,
        task=terms.task,
        turns=turns,
        label=label,
        answer=answer,
        tests=tests,
        tags=_tags(values, domain),
        lineage=lineage,
    )
    _fits(sample)
    return sample


def as_unknown(sample: Sample, terms: Terms) -> Sample:
    """Return a sample that says it is human, and is a model's by the look of it, as a candidate."""
    lineage = replace(sample.lineage, origin="UNKNOWN", generation=terms.deepest)
    return replace(sample, sample_id=_candidate_id(sample.content_hash), lineage=lineage)


def _candidate_id(content: str) -> str:
    return digest("ingested", content)


def _turns(values: Mapping[str, Any], task: str) -> tuple[Turn, ...]:
    found = fields.turns(values)
    turns = tuple(Turn(role=turn.role, text=_cleaned(turn, task)) for turn in found)
    if not any(turn.text for turn in turns):
        raise UnfitError("no text is left after cleaning")
    return turns


def _cleaned(turn: Turn, task: str) -> str:
    if task == "code":
        return clean(turn.text, indented=True)
    return clean_document(turn.text) if turn.role == "document" else clean(turn.text)


def _lineage(values: Mapping[str, Any], row: Row, terms: Terms) -> Lineage:
    origin = _origin(values, terms)
    return Lineage(
        origin=origin,
        generation=_generation(values, origin, terms),
        recipe=terms.recipe,
        licence=_line(values, "licence") or terms.licence,
        uri=f"{row.file}#{row.line}",
    )


def _origin(values: Mapping[str, Any], terms: Terms) -> Origin:
    """Return what the row declares; a declaration that is left empty is UNKNOWN, not the recipe's."""
    if "origin" not in values:
        return terms.origin
    declared = (_line(values, "origin") or "UNKNOWN").upper()
    for origin in _ORIGINS:
        if origin == declared:
            return origin
    raise UnfitError(f"origin {declared[:40]!r} is none of {', '.join(_ORIGINS)}")


def _generation(values: Mapping[str, Any], origin: Origin, terms: Terms) -> int:
    """Return 0 for human data; else what the row declares, or the depth cap where that is not known."""
    declared = _line(values, "generation")
    if declared is None:
        return 0 if origin == "HUMAN" else terms.deepest
    if not (declared.isascii() and declared.isdigit() and len(declared) < 10):  # noqa: PLR2004 - an Avro int
        raise UnfitError(f"generation {declared[:40]!r} is no number from 0")
    if (int(declared) == 0) != (origin == "HUMAN"):
        raise UnfitError(f"generation {declared} and origin {origin} contradict each other; only human data has 0")
    return int(declared)


def _tags(values: Mapping[str, Any], domain: str | None) -> dict[str, str]:
    tags = {"domain": _line(values, "domain") or domain, "id": _line(values, "id")}
    return {tag: text for tag, text in tags.items() if text}


def _line(values: Mapping[str, Any], field: str) -> str | None:
    text = fields.scalar(field, values.get(field))
    return clean(text) or None if text else None


def _whole(text: str | None) -> str | None:
    return clean(text, indented=True) or None if text else None


def _fits(sample: Sample) -> None:
    """Raise UnfitError for texts that are no Unicode or together too large for one record."""
    said = [part for turn in sample.turns for part in (turn.role, turn.text)]
    rest = (sample.label, sample.answer, sample.tests, sample.lineage.licence, *sample.tags.values())
    whole = "".join([*said, *filter(None, rest)])
    if len(whole) * 4 <= LARGEST and whole.isascii():
        return
    try:
        size = len(whole.encode())
    except UnicodeEncodeError:
        raise UnfitError("bytes or escapes that are no Unicode text") from None
    if size > LARGEST:
        raise UnfitError(f"{size} bytes of text, above {LARGEST}; cut it into several")
