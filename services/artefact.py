"""What is fitted on the accepted reference, once for each version: the models that documents are scored by.

A deterministic function of the documents, so every process that needs it builds it alike; its hash goes into what was
computed by it, for numbers of different artefacts can't be compared.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from services import embedding, meaning
from services.embedding import Lsa
from streams.errors import UnavailableError
from streams.samples import Sample
from streams.stats import surprisal
from streams.stats.documents import WORDS, Documents, flat
from streams.stats.novelty import LENGTHS
from streams.stats.sequential import CELL
from streams.words import Flat, first, hashed, text_of, words

MOST = 20_000  # documents to fit on: more make no better space and take minutes
SCORES = (*(f"novel_{n}" for n in LENGTHS), "surprisal")  # the columns of Documents.scores
_LEAST = 100
_KEY_DIGITS = 16
_AUTHOR = ("document", "assistant")
_LAYOUT = 1  # changes with what is fitted, or how


@dataclass(frozen=True, slots=True, kw_only=True)
class Artefact:
    """The models of one reference version; `strata` are its strata by name, numbered in that order.

    `embeddings` documents of each cell get a sentence vector.
    """

    hash: str
    version: int
    lsa: Lsa
    surprisal: surprisal.Model
    strata: tuple[str, ...]
    embeddings: int = 0

    def documents(self, samples: Sequence[Sample], seen: int = 0) -> Documents:
        """Return the columns of the samples that have enough words; novelty, 0 here, is for their stream to score.

        Before them their stream had `seen` documents: the place in a cell tells which ones get a sentence vector.
        """
        columns = columns_of(samples)
        texts = columns.flat()
        counted = [samples[place] for place in columns.places.tolist()]
        scores = np.zeros((len(counted), len(SCORES)), np.float32)
        scores[:, -1] = self.surprisal.score(texts)
        return Documents(
            keys=np.array([int(sample.sample_id[:_KEY_DIGITS], 16) for sample in counted], np.uint64),
            words=columns.words,
            vectors=self.lsa.vectors(texts).astype(np.float16),
            scores=scores,
            strata=np.array([self.stratum(sample) for sample in counted], np.uint16),
            meanings=self._meanings(counted, seen),
        )

    def _meanings(self, counted: Sequence[Sample], seen: int) -> NDArray[np.float16]:
        """Return (n, s) sentence vectors, zero but for the first `embeddings` documents of each cell."""
        found = np.zeros((len(counted), meaning.DIMENSIONS if self.embeddings else 0), np.float16)
        places = [place for place in range(len(counted)) if (seen + place) % CELL < self.embeddings]
        if places:
            found[places] = meaning.vectors([_said(counted[place]) for place in places])
        return found

    def stratum(self, sample: Sample) -> int:
        """Return the number of a sample's stratum; one past the last for a stratum that the reference does not have."""
        domain = sample.tags.get("domain", "")
        return self.strata.index(domain) if domain in self.strata else len(self.strata)


def build(version: int, fit: Sequence[Sample], embeddings: int = 0) -> Artefact:
    """Fit everything on the reference's part `fit`. Takes seconds; raises UnavailableError if there is too little."""
    chosen = sorted(fit, key=lambda sample: sample.sample_id)[:MOST]
    columns = columns_of(chosen)
    if len(columns.words) < _LEAST:
        raise UnavailableError(
            f"Only {len(columns.words)} documents of reference version {version} are to fit and have {WORDS} words; "
            f"ingest more human data (it takes {_LEAST}) and accept the reference again"
        )
    texts = columns.flat()
    name = blake2b(f"{_LAYOUT}/{version}".encode(), digest_size=8)
    for sample in chosen:
        name.update(sample.sample_id.encode())
    if embeddings:
        name.update(f"{meaning.MODEL}/{embeddings}".encode())
    return Artefact(
        hash=name.hexdigest(),
        version=version,
        lsa=embedding.fit(texts),
        surprisal=surprisal.fit(texts),
        strata=tuple(sorted({sample.tags.get("domain", "") for sample in chosen})),
        embeddings=embeddings,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """The samples that have enough words: their places and their first words as (n, 64) hashes."""

    places: NDArray[np.int64]
    words: NDArray[np.uint32]

    def flat(self) -> Flat:
        """Return the words as statistics of words take them."""
        return flat(self.words)


def columns_of(samples: Sequence[Sample]) -> Columns:
    """Return what is counted of samples; of a conversation the answers, for its prompts have another author."""
    texts = hashed([words(_said(sample)) for sample in samples])
    places = np.flatnonzero(np.diff(texts.starts) >= WORDS)
    hashes = first(texts, WORDS).hashes >> np.uint64(32)
    return Columns(places=places, words=hashes.astype(np.uint32).reshape(-1, WORDS))


def _said(sample: Sample) -> str:
    """Return what its author wrote: of a conversation the answers."""
    said = [turn.text for turn in sample.turns if turn.role in _AUTHOR]
    return "\n".join(said) if said else text_of(sample)
