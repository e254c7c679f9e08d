"""What finds near-duplicates: a few band keys to meet by, and a bottom-k sketch to compare with.

Two texts share a band with probability J ** rows (MinHash, Broder 1997); the sketch is the text's smallest shingle
hashes (Cohen and Kaplan 2007), so the Jaccard similarity J is exact up to 256 shingles and has a standard error of
0.025 at 0.8 beyond.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from rensa import RMinHash

from streams.words import Flat, Starts, runs, starts_of

SHINGLE = 3  # words: of 80, one changed word leaves a similarity of 0.93, three leave 0.82, five 0.72
SKETCH = 256
_SIGNATURE = 64
_MISS = 0.01
_SEED = 20
_FACTOR = np.uint64(0xC2B2AE3D27D4EB4F)


class Shape(NamedTuple):
    """How many bands of how many MinHash values each."""

    bands: int
    rows: int


class Fingerprints(NamedTuple):
    """Band keys and sketches of a batch; the sketch of text i is sketches[starts[i]:starts[i + 1]], rising."""

    bands: NDArray[np.uint32]
    sketches: NDArray[np.uint32]
    starts: Starts

    def sketch(self, place: int) -> NDArray[np.uint32]:
        """Return one text's sketch."""
        return self.sketches[self.starts[place] : self.starts[place + 1]]

    def select(self, places: NDArray[np.int64]) -> "Fingerprints":
        """Return the fingerprints of some of the texts."""
        parts = [self.sketches[:0], *(self.sketch(place) for place in places.tolist())]
        counts = (self.starts[1:] - self.starts[:-1])[places]
        return Fingerprints(self.bands[places], np.concatenate(parts), starts_of(counts))


def shape(threshold: float) -> Shape:
    """Return the bands that miss at most 1 in 100 pairs at the threshold and meet fewest others."""
    similarity = min(max(threshold, 0.3), 0.999)
    for rows in range(_SIGNATURE, 1, -1):
        bands = math.ceil(math.log(_MISS) / math.log1p(-(similarity**rows)))
        if bands * rows <= _SIGNATURE:
            return Shape(bands, rows)
    return Shape(_SIGNATURE, 1)


def fingerprints(words: Flat, shape: Shape) -> Fingerprints:
    """Return band keys and sketches of a batch of texts."""
    shingles = runs(words, SHINGLE)
    return Fingerprints(_bands(shingles, shape), *_sketches(shingles))


def jaccard(one: NDArray[np.uint32], other: NDArray[np.uint32]) -> float:
    """Return the similarity of two sketches, 0 to 1: exact where both hold their whole text."""
    both = np.sort(np.concatenate((one, other)))
    twice = np.append(both[1:] == both[:-1], False)
    distinct = np.flatnonzero(np.append(True, ~twice[:-1]))
    if max(len(one), len(other)) >= SKETCH:
        distinct = distinct[:SKETCH]
    return float(twice[distinct].mean())


def _bands(shingles: Flat, shape: Shape) -> NDArray[np.uint32]:
    bands, rows = shape
    matrix = RMinHash.digest_matrix_from_flat_token_hashes(
        shingles.hashes, shingles.starts.tolist(), bands * rows, _SEED
    )
    signature = np.array(matrix.to_rows(), np.uint64).reshape(-1, bands, rows)
    keys = np.broadcast_to(np.arange(bands, dtype=np.uint64), signature.shape[:2])
    for row in range(rows):
        keys = (keys ^ signature[:, :, row]) * _FACTOR
        keys = keys ^ (keys >> np.uint64(32))
    return keys.astype(np.uint32)


def _sketches(shingles: Flat) -> tuple[NDArray[np.uint32], Starts]:
    counts = np.diff(shingles.starts)
    texts = np.repeat(np.arange(len(counts), dtype=np.uint64), counts)
    ordered = np.sort((texts << np.uint64(32)) | (shingles.hashes >> np.uint64(32)))
    ordered = ordered[np.append(True, ordered[1:] != ordered[:-1])[: len(ordered)]]
    text = (ordered >> np.uint64(32)).astype(np.int64)
    starts = starts_of(np.bincount(text, minlength=len(counts)))
    kept = np.arange(len(ordered)) - starts[text] < SKETCH
    return ordered[kept].astype(np.uint32), starts_of(np.minimum(np.diff(starts), SKETCH))
