"""Real human text to hold checks to: documents and dialogue of the plays, dictionary glosses."""

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path

from planting import with_turns
from stats_texts import RECIPE, plays
from verify_world import human

from services.ingest.inputs import Input, find
from services.ingest.plays import spoken
from services.ingest.rows import Row
from services.recipe import parse
from streams.samples import Sample

_GLOSSES = Path("/usr/share/wordnet")
_SPEAKER = re.compile(r"^\*\*[^*\n]+\*\*[ \t]*$", re.MULTILINE)


@cache
def documents() -> list[Sample]:
    """The plays as ingest reads them, 80 words each."""
    return [human(text) for text in plays()]


@cache
def labelled() -> list[Sample]:
    """The same, each with the kind of its play (comedies, roman, ...) as its label."""
    return [_of(file.path.parent.name, row.values["text"]) for file in _files() for row in _rows(file)]


@cache
def parts_of_speech() -> list[Sample]:
    """All glosses of WordNet, each with the part of speech of its word as its label; none where it is not installed."""
    lines = [(path.suffix[1:], line) for path in sorted(_GLOSSES.glob("data.*")) for line in _lines(path)]
    return [_of(label, line.partition(" | ")[2].strip()) for label, line in lines if " | " in line]


@cache
def dialogues(without: str = "") -> list[Sample]:
    """Each speech of the plays, but for one play, as the answer to the one before it, whole."""
    speeches = [speech for file in _files() if file.path.stem != without for speech in _speeches(file)]
    return [with_turns(human(""), ("user", one), ("assistant", other)) for one, other in pairwise(speeches)]


@cache
def glosses() -> list[Sample]:
    """The glosses of WordNet of at least 50 words; none where it is not installed."""
    lines = (line for path in sorted(_GLOSSES.glob("data.*")) for line in _lines(path))
    said = (line.partition(" | ")[2].strip() for line in lines)
    return [human(text) for text in said if len(text.split()) >= 50]


def share(count: int, of: list[Sample]) -> float:
    """Say how many of the samples that is; of none it is none."""
    return count / max(1, len(of))


def _of(label: str, text: str) -> Sample:
    return replace(human(text), label=label)


def _lines(path: Path) -> list[str]:
    return path.read_text("latin-1").splitlines()


def _files() -> list[Input]:
    return find(parse(RECIPE, "of the tests"))


def _rows(file: Input) -> Iterator[Row]:
    with file.path.open("rb") as raw:
        yield from (item for item in file.read(raw, file.name) if isinstance(item, Row))


def _speeches(file: Input) -> Iterator[str]:
    for part in _SPEAKER.split(file.path.read_text())[1:]:
        if speech := "\n".join(line for line in spoken(part).splitlines() if line.strip()):
            yield speech
