"""The plays as the monitor sees them: an artefact fitted on some, human documents of others, and what models say."""

from functools import cache

import numpy as np
from stats_texts import documents as plays

from services import artefact as fitted
from services.artefact import Artefact
from services.generate.ngram import NgramModel
from services.monitor.yardstick import human_documents
from streams.samples import Lineage, Sample, Turn, digest
from streams.stats.documents import Documents
from streams.stats.novelty import Novelty

_PLACES = {"fit": (0, 600), "calibrate": (600, 1_400), "others": (1_400, 4_000), "seeds": (4_000, 8_000)}
MEMORY = 100
FAMILIES = ((3, 0.0), (3, 0.3), (2, 0.0))  # order and back-off


def sample(text: str, key: object) -> Sample:
    return Sample(
        sample_id=digest(str(key)),
        content_hash=digest(text),
        task="text",
        turns=(Turn(role="document", text=text),),
        lineage=Lineage(origin="HUMAN", generation=0),
    )


def samples(part: str) -> list[Sample]:
    start, end = _PLACES[part]
    return [sample(text, f"{part}{number}") for number, text in enumerate(plays()[start:end])]


@cache
def artefact() -> Artefact:
    return fitted.build(1, samples("fit"), samples("seeds"))


@cache
def human(part: str) -> Documents:
    return human_documents(artefact(), samples(part), MEMORY)


@cache
def model(family: int) -> NgramModel:
    order, backoff = FAMILIES[family]
    start, end = _PLACES["seeds"]
    return NgramModel(plays()[start:end], order=order, backoff=backoff)


def texts(of: NgramModel, count: int, seed: int) -> list[str]:
    seeds = np.random.default_rng(seed).integers(0, 1 << 62, count).tolist()
    return [of.document(seed=each, temperature=1.0, words=80) for each in seeds]


def stream(told: list[str], key: object, memory: int) -> Documents:
    """Return texts as documents of one stream, with their novelty."""
    found = artefact().documents([sample(text, f"{key}-{number}") for number, text in enumerate(told)])
    found.scores[:, :3] = Novelty(memory).score(found.flat())
    return found


@cache
def said(family: int) -> Documents:
    """Return what a model says once novelty's memory is full."""
    told = stream(texts(model(family), 300, family), f"said{family}", MEMORY)
    return told.part(MEMORY, len(told.keys))
