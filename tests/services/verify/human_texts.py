"""Real human text to hold checks to: documents and dialogue of the plays, dictionary glosses."""

import re
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

from planting import with_turns
from stats_texts import RECIPE, plays
from verify_world import human

from services.ingest.inputs import Input, find
from services.ingest.plays import spoken
from services.recipe import parse
from streams.samples import Sample

_GLOSSES = Path("/usr/share/wordnet")
_SPEAKER = re.compile(r"^\*\*[^*\n]+\*\*[ \t]*$", re.MULTILINE)


@cache
def documents() -> list[Sample]:
    """The plays as ingest reads them, 80 words each."""
    return [human(text) for text in plays()]


@cache
def dialogues(without: str = "") -> list[Sample]:
    """Each speech of the plays, but for one play, as the answer to the one before it, whole."""
    speeches = [speech for file in _files() if file.path.stem != without for speech in _speeches(file)]
    return [with_turns(human(""), ("user", one), ("assistant", other)) for one, other in pairwise(speeches)]


@cache
def glosses() -> list[Sample]:
    """The glosses of WordNet of at least 50 words; none where it is not installed."""
    lines = (line for path in sorted(_GLOSSES.glob("data.*")) for line in path.read_text("latin-1").splitlines())
    said = (line.partition(" | ")[2].strip() for line in lines)
    return [human(text) for text in said if len(text.split()) >= 50]


def share(count: int, of: list[Sample]) -> float:
    """Say how many of the samples that is; of none it is none."""
    return count / max(1, len(of))


def _files() -> list[Input]:
    return find(parse(RECIPE, "of the tests"))


def _speeches(file: Input) -> Iterator[str]:
    for part in _SPEAKER.split(file.path.read_text())[1:]:
        if speech := "\n".join(line for line in spoken(part).splitlines() if line.strip()):
            yield speech
