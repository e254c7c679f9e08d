"""What is fitted on the accepted reference, once for each version: the models that documents are scored by.

A deterministic function of the documents, so every process that needs it builds it alike; its hash goes into what was
computed by it, for numbers of different artefacts can't be compared.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services import embedding, meaning
from services.embedding import Lsa
from streams.errors import UnavailableError
from streams.samples import Sample
from streams.stats import copying, surprisal, syntax
from streams.stats.copying import Copying
from streams.stats.documents import WORDS, Documents, flat
from streams.stats.novelty import LENGTHS
from streams.stats.repetition import compression
from streams.stats.sequential import CELL
from streams.words import Flat, first, hashed, text_of, words

UNITS = (WORDS, 48, 32, 24, 16, 12, 8)  # words of each document that statistics count
MOST = 20_000  # documents to fit on: more make no better space and take minutes
SCORES = (*(f"novel_{n}" for n in LENGTHS), "surprisal")  # the columns of Documents.scores
TRAITS = ("length", "compression", "seed_novel", "copied")  # the columns of Documents.traits
UNLABELLED = np.iinfo(np.uint16).max  # the stratum of a sample without a domain, where the reference's have one
_LEAST = 100
_FEWEST = 0.5  # of the documents have as many words
_KEY_DIGITS = 16
_AUTHOR = ("document", "assistant")
_LAYOUT = 2  # changes with what is fitted, or how


class TooFewError(UnavailableError):
    """There is too little reference to fit anything on."""


class Dictionary(NamedTuple):
    """What the seeds say, and their keys, rising: a seed is held against the other ones."""

    copying: Copying
    keys: NDArray[np.uint64]


class Placed(NamedTuple):
    """Documents, and the places that they had among the samples they were made of."""

    places: NDArray[np.int64]
    documents: Documents


@dataclass(frozen=True, slots=True, kw_only=True)
class Artefact:
    """The models of one reference version; `strata` are its strata by name, numbered in that order.

    `tasks` are its tasks, the commonest first; `embeddings` documents of each cell get a sentence vector. Of each
    document the first `unit` words are counted, and shorter ones are left out.
    """

    hash: str
    version: int
    lsa: Lsa
    surprisal: surprisal.Model
    strata: tuple[str, ...]
    tasks: tuple[str, ...]
    seeds: Dictionary | None
    unit: int = WORDS
    embeddings: int = 0

    def documents(self, samples: Sequence[Sample]) -> Documents:
        """Return the columns of the samples that have enough words, as of a stream that begins with them."""
        found = self.placed(samples)
        return self.meant(found.documents, [samples[place] for place in found.places.tolist()], 0)

    def placed(self, samples: Sequence[Sample]) -> "Placed":
        """Return the samples that have enough words; novelty and meanings, 0 here, are for their stream."""
        columns = columns_of(samples, self.unit)
        texts = columns.flat()
        counted = [samples[place] for place in columns.places.tolist()]
        keys = _keys(counted)
        scores = np.zeros((len(counted), len(SCORES)), np.float32)
        scores[:, -1] = self.surprisal.score(texts)
        documents = Documents(
            keys=keys,
            words=columns.words,
            vectors=self.lsa.vectors(texts).astype(np.float16),
            scores=scores,
            traits=self._traits(columns, keys),
            symbols=syntax.symbols(columns.texts),
            strata=np.array([self.stratum(sample) for sample in counted], np.uint16),
            meanings=np.zeros((len(counted), meaning.DIMENSIONS if self.embeddings else 0), np.float16),
        )
        return Placed(columns.places, documents)

    def meant(self, documents: Documents, samples: Sequence[Sample], seen: int) -> Documents:
        """Return the documents of these samples with sentence vectors for the first `embeddings` of each cell.

        Before them their stream had `seen` documents, which tells their places in its cells.
        """
        places = [place for place in range(len(samples)) if (seen + place) % CELL < self.embeddings]
        if not places:
            return documents
        meanings = documents.meanings.copy()
        meanings[places] = meaning.vectors([said(samples[place]) for place in places])
        return documents._replace(meanings=meanings)

    def stratum(self, sample: Sample) -> int:
        """Return the number of a sample's stratum; one past the last for a domain that the reference does not have."""
        domain = sample.tags.get("domain", "")
        if domain in self.strata:
            return self.strata.index(domain)
        return len(self.strata) if domain else UNLABELLED

    def _traits(self, columns: "Columns", keys: NDArray[np.uint64]) -> NDArray[np.float32]:
        """Return (n, traits): words of the whole text, the others of its first words; not a number without seeds."""
        found = np.full((len(keys), len(TRAITS)), np.nan, np.float32)
        found[:, 0] = columns.lengths
        found[:, 1] = [compression(text) for text in columns.heads]
        if self.seeds is not None and len(keys):
            place = np.minimum(np.searchsorted(self.seeds.keys, keys), len(self.seeds.keys) - 1)
            novel = self.seeds.copying.novel(columns.flat(), self.seeds.keys[place] == keys)
            found[:, 2], found[:, 3] = novel, self.seeds.copying.flagged(novel)
        return found


def build(version: int, fit: Sequence[Sample], seeds: Sequence[Sample] = (), embeddings: int = 0) -> Artefact:
    """Fit everything on the reference's part `fit`, and on the seeds what copies are told by. Takes seconds.

    Raises TooFewError if there is too little reference. Of more than MOST documents those of least id count.
    """
    chosen, copied = chosen_of(fit), chosen_of(seeds)
    unit = unit_of([len(words(said(sample))) for sample in chosen])
    columns = columns_of(chosen, unit)
    if len(columns.words) < _LEAST:
        raise TooFewError(
            f"Only {len(columns.words)} documents of reference version {version} are to fit and have {unit} words; "
            f"ingest more human data (it takes {_LEAST}) and accept the reference again"
        )
    texts = columns.flat()
    name = blake2b(f"{_LAYOUT}/{version}/{len(chosen)}".encode(), digest_size=8)
    for sample in (*chosen, *copied):
        name.update(sample.sample_id.encode())
    if embeddings:
        name.update(f"{meaning.MODEL}/{embeddings}".encode())
    if unit != WORDS:
        name.update(f"unit {unit}".encode())
    return Artefact(
        hash=name.hexdigest(),
        version=version,
        lsa=embedding.fit(texts),
        surprisal=surprisal.fit(texts),
        strata=tuple(sorted({sample.tags.get("domain", "") for sample in chosen})),
        tasks=_tasks(chosen),
        seeds=_dictionary(copied, unit),
        unit=unit,
        embeddings=embeddings,
    )


def unit_of(lengths: Sequence[int]) -> int:
    """Return how many words of each document are counted: 64, or as many as half of the documents have."""
    counts = np.array(lengths)
    return next((unit for unit in UNITS if len(counts) and np.mean(counts >= unit) >= _FEWEST), UNITS[-1])


def chosen_of(samples: Sequence[Sample]) -> list[Sample]:
    """Return the samples that are fitted on: as many of the least ids as may be, which is a random choice."""
    return sorted(samples, key=lambda sample: sample.sample_id)[:MOST]


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """The samples that have enough words: their places, texts and lengths, and their first words.

    Those are the `heads`, in lower case, and their hashes `words` (n, w).
    """

    places: NDArray[np.int64]
    texts: Sequence[str]
    lengths: NDArray[np.int64]
    heads: Sequence[str]
    words: NDArray[np.uint32]

    def flat(self) -> Flat:
        """Return the words as statistics of words take them."""
        return flat(self.words)


def columns_of(samples: Sequence[Sample], unit: int) -> Columns:
    """Return what is counted of samples of at least `unit` words.

    Of a conversation those are the answers', for its prompts have another author.
    """
    texts = [said(sample) for sample in samples]
    cut = [words(text) for text in texts]
    hashes = hashed(cut)
    places, heads = heads_of(hashes, unit)
    return Columns(
        places=places,
        texts=[texts[place] for place in places.tolist()],
        lengths=np.diff(hashes.starts)[places],
        heads=[" ".join(cut[place][:unit]) for place in places.tolist()],
        words=heads,
    )


def heads_of(texts: Flat, unit: int) -> tuple[NDArray[np.int64], NDArray[np.uint32]]:
    """Return the places of the texts that have enough words, and the hashes (n, unit) of their first ones."""
    hashes = first(texts, unit).hashes >> np.uint64(32)
    return np.flatnonzero(np.diff(texts.starts) >= unit), hashes.astype(np.uint32).reshape(-1, unit)


def said(sample: Sample) -> str:
    """Return what a sample's author wrote: of a conversation the answers."""
    found = [turn.text for turn in sample.turns if turn.role in _AUTHOR]
    return "\n".join(found) if found else text_of(sample)


def _tasks(samples: Sequence[Sample]) -> tuple[str, ...]:
    counts = Counter(sample.task for sample in samples)
    return tuple(sorted(counts, key=lambda task: (-counts[task], task)))


def _dictionary(seeds: Sequence[Sample], unit: int) -> Dictionary | None:
    columns = columns_of(seeds, unit)
    if not len(columns.places):
        return None
    keys = np.sort(_keys([seeds[place] for place in columns.places.tolist()]))
    return Dictionary(Copying(copying.fit(columns.flat())), keys)


def _keys(samples: Sequence[Sample]) -> NDArray[np.uint64]:
    return np.array([int(sample.sample_id[:_KEY_DIGITS], 16) for sample in samples], np.uint64)
