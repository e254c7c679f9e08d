"""Regions of the reference's latent space: cells of human documents, the same in every process that needs them.

The monitor counts which of them synthetic text reaches too little, and generate draws their seeds more.
"""

import numpy as np
from numpy.typing import NDArray

from streams.stats import cells
from streams.stats.cells import Codebook

_CELLS = 24
_SEED = 7
_FEW = 0.5  # of what is expected
_CHANCE = 2  # standard deviations of a count
Counts = NDArray[np.int64]


def codebook(human: NDArray[np.floating]) -> Codebook:
    """Return the regions of an accepted reference: of the vectors of its part `calibrate`, in the order of its ids."""
    order = np.random.default_rng(_SEED).permutation(len(human))
    return cells.fit(human[order].astype(np.float64), _CELLS, _SEED)


def counted(vectors: NDArray[np.floating], regions: Codebook) -> Counts:
    """Return how many vectors lie in each region."""
    found = cells.Cells(regions)
    found.update(vectors.astype(np.float64))
    return found.counts


def neglected(counts: Counts, regions: Codebook) -> tuple[int, ...]:
    """Return the regions with less than half of the documents that human text has there, beyond what chance does."""
    expected = regions.counts / regions.counts.sum() * counts.sum()
    few = (counts < _FEW * expected) & (expected - counts > _CHANCE * np.sqrt(expected))
    return tuple(np.flatnonzero(few).tolist())
